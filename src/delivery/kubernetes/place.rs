//! Which Secret, and where the API has it.

/// Which Secret.
pub(super) struct Place {
    pub(super) namespace: String,
    pub(super) secret: String,
    /// Of which context of the kubeconfig, where its current one is not meant.
    pub(super) context: Option<String>,
}

impl Place {
    /// Where the API has it.
    pub(super) fn path(&self) -> String {
        format!("/api/v1/namespaces/{}/secrets/{}", self.namespace, self.secret)
    }
}

/// Keys of data have no more letters.
const LONGEST_KEY: usize = 253;

/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>
pub(super) fn is_name(text: &str, longest: usize, between: &str) -> bool {
    let is_edge = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    (1..=longest).contains(&text.len())
        && text.starts_with(is_edge)
        && text.ends_with(is_edge)
        && text.chars().all(|letter| is_edge(letter) || between.contains(letter))
}

/// <https://kubernetes.io/docs/concepts/configuration/secret/#restriction-names-data>
pub(super) fn is_key(text: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    (1..=LONGEST_KEY).contains(&text.len()) && text != "." && !text.starts_with("..") && text.chars().all(fits)
}
