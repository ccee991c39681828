//! What a refusal has to name of whoever was refused.

/// Who asked, and where: what a refused login has to name.
pub(super) struct Asked<'a> {
    pub(super) user: &'a str,
    pub(super) account: &'a str,
    pub(super) host: &'a str,
    pub(super) role: Option<&'a str>,
    /// Where account, user and host were found.
    pub(super) found_in: &'a str,
}
