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
