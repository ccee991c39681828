//! Which server keeps the journal, where it is not a file of the state folder.

use std::fmt;

use rotate_providers::secret_from::SecretFrom;

use super::{Store, StoreError};

/// The schema of the journal, where the configuration names none.
pub const SCHEMA: &str = "rotate";

/// The longest name that PostgreSQL keeps whole.
const LONGEST_NAME: usize = 63;

/// A database, by the place of its URL: that is a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where the URL is.
    pub url: SecretFrom,
    /// The schema of the journal there.
    pub schema: String,
}

impl Server {
    /// Opens the journal there.
    #[cfg(feature = "postgres")]
    pub async fn open(&self) -> Result<Box<dyn Store>, StoreError> {
        Ok(Box::new(super::PostgresStore::open(self.address()?).await?))
    }

    /// This build cannot.
    #[cfg(not(feature = "postgres"))]
    pub async fn open(&self) -> Result<Box<dyn Store>, StoreError> {
        Err(self.unfit(
            "this build of rotate has no PostgreSQL".to_owned(),
            "use one that was built with its feature `postgres`",
        ))
    }

    /// Reads the URL, and understands it.
    #[cfg(feature = "postgres")]
    pub fn address(&self) -> Result<super::Address, StoreError> {
        let url = self.url.read().map_err(|why| {
            let why = format!("its URL is to be read from {}: {why}", self.url);
            self.unfit(why, "put postgres://USER:PASSWORD@HOST:PORT/DATABASE there")
        })?;
        let text = url.expose_text().ok_or("it is no text".to_owned());
        let address = text.and_then(|text| super::Address::parse(text.trim(), &self.schema));
        address.map_err(|why| {
            let why = format!("the URL in {} is not understood: {why}", self.url);
            self.unfit(why, "write it as postgres://USER:PASSWORD@HOST:PORT/DATABASE")
        })
    }

    fn unfit(&self, why: String, remedy: &str) -> StoreError {
        StoreError::Unfit {
            place: self.to_string().into(),
            why,
            remedy: remedy.to_owned(),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgreSQL (schema {})", self.schema)
    }
}

/// The name of a schema, which is written into statements.
pub fn check_schema(name: &str) -> Result<String, String> {
    let mut letters = name.bytes();
    let begins = letters
        .next()
        .is_some_and(|first| first.is_ascii_lowercase() || first == b'_');
    let goes_on = letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_');
    match begins && goes_on && name.len() <= LONGEST_NAME && !name.starts_with("pg_") {
        true => Ok(name.to_owned()),
        false => {
            Err("a schema's name has small letters, digits and _, at most 63, and does not begin with pg_".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check_schema;

    #[test]
    fn a_schema_has_a_name_that_can_be_written_into_a_statement() {
        assert!(check_schema("rotate_2").is_ok());
        for name in ["", "2", "Fleet", "a-b", "a\"b", "a;b", "pg_x", &"a".repeat(64)] {
            assert!(check_schema(name).is_err(), "{name}");
        }
    }
}
