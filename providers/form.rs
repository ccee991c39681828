//! What a connector's secrets consist of: a small map of fields, which is all that a destination knows of a connector.

/// What the secrets of a connector consist of.
#[derive(Clone, Copy, Debug)]
pub struct SecretForm {
    /// What one is, as a phrase: `an access key`.
    pub called: &'static str,
    /// Its fields, those that every destination gets first.
    pub fields: &'static [Field],
    /// Variables that are read together with those of its fields, and would make them mean something else.
    pub beside: &'static [&'static str],
}

/// One field of a secret.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name, unless a destination is told another.
    pub name: &'static str,
    /// Where its value comes from.
    pub from: Part,
    /// What an environment file calls it; `None` where no such file can hold it.
    pub variable: Option<&'static str>,
    /// Whether a destination gets it although nobody has named it.
    pub always: bool,
}

/// What of a credential, or of whose it is, a field holds.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// The key's id.
    Key,
    /// The secret.
    Secret,
    /// The public half, as PEM.
    PublicKey,
    /// The name of the keys' owner.
    Owner,
    /// The owner's account.
    Account,
    /// Where something is that goes with the secret, and never that itself: the first of these inputs that is given, behind
    /// the word for its kind of place.
    Reference(&'static [(&'static str, &'static str)]),
}

impl SecretForm {
    /// Of a connector that has not said what its secrets are.
    pub(crate) const NOTHING: Self = Self {
        called: "a key",
        fields: &[],
        beside: &[],
    };

    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether it has all of these.
    pub fn has(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.field(name).is_some())
    }

    /// The fields that every destination gets.
    pub fn always(&self) -> impl Iterator<Item = &'static Field> {
        self.fields.iter().filter(|field| field.always)
    }
}

impl Field {
    /// A field that every destination gets.
    pub const fn always(name: &'static str, from: Part) -> Self {
        Self {
            name,
            from,
            variable: None,
            always: true,
        }
    }

    /// A field that a destination gets where somebody has named it.
    pub const fn on_request(name: &'static str, from: Part) -> Self {
        Self {
            always: false,
            ..Self::always(name, from)
        }
    }

    /// The same, with its name in environment files.
    pub const fn in_files(self, variable: &'static str) -> Self {
        Self {
            variable: Some(variable),
            ..self
        }
    }
}
