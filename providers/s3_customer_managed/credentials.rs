//! The administrator's credentials themselves, resolved once, so that their absence is told in plain words before any call.

use std::error::Error as StdError;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use tokio::time::timeout;

use super::administrator::{Role, assume, timeouts};
use super::checked::{Checked, unfit};
use super::form::BadLogin;
use super::profile::{Asked, By, Chain, Profiles, SecondFactor, Source, environment_has_keys, variable, wrong};
use super::readable::FIND;
use crate::Ask;
use crate::call::{configuration, local};
use crate::contract::{Error, Kind, cause};
use crate::endpoint::ForbiddenEndpoint;
use crate::secret::Secret;
use crate::shell::quoted;

/// How long the source of credentials may take: a helper may ask a person for a second factor, and nobody is there at night.
const SOURCE_PATIENCE: Duration = Duration::from_secs(120);

/// Where credentials are looked for.
pub(super) struct Lookup<'a> {
    pub(super) profiles: &'a Profiles,
    pub(super) asked: &'a Asked,
    /// What the profile asks for, where it is used.
    pub(super) chain: Option<&'a Chain<'a>>,
    pub(super) ask: Option<Ask>,
}

/// What was found.
pub(super) struct Found {
    /// The configuration, with these credentials.
    pub(super) base: SdkConfig,
    pub(super) callers: Vec<Credentials>,
    /// Where, as a phrase.
    pub(super) found_in: String,
}

impl Lookup<'_> {
    pub(super) async fn find(&self, base: SdkConfig, http: &SharedHttpClient) -> Result<Found, Error> {
        if let Some(factor) = self.chain.and_then(|chain| chain.second_factor.as_ref()) {
            return self.with_a_code(base, factor, http).await;
        }
        // A profile that holds nothing leaves the choice to the machine, unless it is the target's own.
        let by_profile = |chain: &&Chain<'_>| self.asked.by == By::Target || chain.source != Source::Nothing;
        let base = match self.chain.filter(by_profile) {
            Some(_) => self.with_profile(base, &self.asked.name, http),
            None => base,
        };
        let provider = base
            .credentials_provider()
            .ok_or_else(|| self.none("no source of credentials is configured"))?;
        let provider = Checked::source(provider);
        let base = base.into_builder().credentials_provider(provider.clone()).build();
        let found = timeout(SOURCE_PATIENCE, provider.provide_credentials()).await;
        let found = found.map_err(|_| self.none("their source did not answer in time"))?;
        let found = found.map_err(|error| match unfit(&error) {
            Some(part) => self.unfit(part),
            None => self.failed(&error),
        })?;
        self.tell_line_breaks();
        Ok(Found {
            found_in: self.place(&found),
            callers: vec![found],
            base,
        })
    }

    /// The same configuration with the credentials of this profile and no other.
    fn with_profile(&self, base: SdkConfig, name: &str, http: &SharedHttpClient) -> SdkConfig {
        let is_plain = self
            .chain
            .is_some_and(|chain| chain.source == Source::Keys && chain.role.is_none());
        let is_source = name != self.asked.name;
        let provider = match self.profiles.keys_of(name).filter(|_| is_plain || is_source) {
            Some(keys) => SharedCredentialsProvider::new(keys),
            None => {
                let settings = ProviderConfig::without_region()
                    .with_region(base.region().cloned())
                    .with_http_client(http.clone())
                    .with_timeout_config(timeouts());
                let provider = ProfileFileCredentialsProvider::builder()
                    .configure(&settings)
                    .profile_name(name);
                SharedCredentialsProvider::new(provider.build())
            }
        };
        base.into_builder().credentials_provider(provider).build()
    }

    /// Assumes the profile's role with the code that a person reads off their device.
    async fn with_a_code(
        &self,
        base: SdkConfig,
        factor: &SecondFactor<'_>,
        http: &SharedHttpClient,
    ) -> Result<Found, Error> {
        let name = &self.asked.name;
        let (role, serial) = (factor.role, factor.serial);
        let Some(ask) = self.ask else {
            let why = format!(
                "role {role} asks for a one-time code of {serial} (mfa_serial), and there is no terminal to ask at: run this at \
                 one, or give rotate a profile or role that needs no code"
            );
            return Err(wrong(name, &why).into());
        };
        let base = self.with_profile(base, factor.source, http);
        let question = format!("One-time code of {serial}, to assume {role}: ");
        let code = tokio::task::spawn_blocking(move || ask(&question)).await.ok().flatten();
        let is_code = |code: &String| code.len() == 6 && code.chars().all(|c| c.is_ascii_digit());
        let code = code
            .map(|code| code.trim().to_owned())
            .filter(is_code)
            .ok_or_else(|| wrong(name, "a one-time code has six digits; nothing was asked of AWS"))?;
        let role = Role {
            arn: role,
            external_id: factor.external_id,
            session_name: factor.session_name,
            second_factor: Some((serial, code)),
        };
        let assumed = assume(&base, role).await?;
        let provider = SharedCredentialsProvider::new(assumed.clone());
        Ok(Found {
            found_in: self.profiles.place_of(name),
            callers: vec![assumed],
            base: base.into_builder().credentials_provider(provider).build(),
        })
    }

    /// Where they were found.
    fn place(&self, found: &Credentials) -> String {
        let profile = self.profiles.place_of(&self.asked.name);
        match self.asked.by {
            _ if self.chain.is_none() && environment_has_keys() => "AWS_ACCESS_KEY_ID".to_owned(),
            By::Variable(variable) if self.chain.is_some() => format!("{profile}, which {variable} names"),
            _ if self.chain.is_some_and(|chain| chain.source != Source::Nothing) => profile,
            _ if variable("AWS_WEB_IDENTITY_TOKEN_FILE").is_some() => "AWS_WEB_IDENTITY_TOKEN_FILE".to_owned(),
            _ if found.session_token().is_some() => "this machine's own role".to_owned(),
            _ => profile,
        }
    }

    /// What cannot be a part of credentials, and where it stands.
    fn unfit(&self, part: BadLogin) -> Error {
        let detail = match self.chain {
            None if environment_has_keys() => format!("{}: {part}", part.name().to_ascii_uppercase()),
            Some(chain) => format!(
                "profile {}: what it gives as {} cannot be one: {part}",
                chain.end.escape_debug(),
                part.name()
            ),
            None => format!("what this machine gives as {} cannot be one: {part}", part.name()),
        };
        configuration(FIND, detail)
    }

    /// The SDK reads the environment by itself, and what ends with a line break was taken without it.
    fn tell_line_breaks(&self) {
        if self.chain.is_none() {
            for part in [BadLogin::KeyId, BadLogin::Secret, BadLogin::Token] {
                drop(variable(&part.name().to_ascii_uppercase()).map(Secret::new));
            }
        }
    }

    fn none(&self, why: &str) -> Error {
        let detail = match self.chain {
            Some(_) => format!("profile {}: {why}", self.asked.name.escape_debug()),
            None => why.to_owned(),
        };
        local(Kind::NoCredentials, FIND, detail)
    }

    /// What to say of a source that gave nothing. Of its own words only an exit code is repeated: a program may have
    /// printed anything.
    fn failed(&self, error: &CredentialsError) -> Error {
        use CredentialsError as E;
        if let Some(forbidden) = cause::<ForbiddenEndpoint>(error) {
            return local(Kind::ForbiddenEndpoint, FIND, forbidden.to_string());
        }
        let why = match error {
            E::CredentialsNotLoaded(_) if self.chain.is_some() => "it holds no credentials",
            E::CredentialsNotLoaded(_) => "neither the environment nor a profile holds any",
            E::ProviderTimedOut(_) => "their source did not answer in time",
            E::InvalidConfiguration(_) => "the profile or the role is not set up correctly",
            _ if self.chain.is_none() => {
                "neither the environment nor a profile holds any, and this machine gives none of its own"
            }
            _ => "their source refused or failed",
        };
        let Some(chain) = self.chain else {
            return self.none(why);
        };
        let (end, word) = (chain.end.escape_debug(), quoted(chain.end));
        match chain.source {
            Source::SingleSignOn => told(format!(
                "profile {end} signs in by SSO, and has no login that works: it is missing, has expired, or its server was \
                 not reached; run: aws sso login --profile {word}"
            )),
            Source::ConsoleLogin => told(format!(
                "profile {end} uses a console login, and has none that works; run: aws login --profile {word}"
            )),
            Source::Process => told(format!(
                "profile {end}: its credential_process {}",
                how_it_failed(error)
            )),
            Source::Nothing => told(format!(
                "profile {end} holds no credentials; for those of the machine itself, add credential_source to it, or use \
                 --credentials environment"
            )),
            Source::Keys | Source::Other => self.none(why),
        }
    }
}

fn told(detail: String) -> Error {
    configuration(FIND, detail)
}

fn how_it_failed(error: &CredentialsError) -> String {
    let mut text = String::new();
    let mut next: Option<&dyn StdError> = Some(error);
    while let Some(cause) = next {
        text.push_str(&cause.to_string());
        text.push('\n');
        next = cause.source();
    }
    let code = text.split_once("exit status: ").map(|(_, rest)| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits
    });
    match code.as_deref() {
        Some("127") => "cannot be found (exit code 127)".to_owned(),
        Some("126") => "cannot be started (exit code 126)".to_owned(),
        Some(code) => format!("failed with exit code {code}; run it by hand to see what it says"),
        None if text.contains("exited with code") => "was ended by a signal".to_owned(),
        None => "did not print what it has to: a JSON document of Version 1".to_owned(),
    }
}
