//! A program that runs after a delivery: the intent, one run, its outcome. What became of it after a crash nobody here can know.

use std::time::Duration;

use rotate_providers::secret::Secret;

use super::in_time::outlasts;
use super::{DriveError, Driver};
use crate::delivery::{Fields, Hook, HookEnd, HookTold, shows};
use crate::hooks::crash_point;
use crate::machine::Event;
use crate::seal::{OLD_KEY, before};
use crate::store::Automated as Stored;

impl Driver<'_> {
    pub(super) async fn run_hook(&self, stored: &mut Stored, name: &str) -> Result<(), DriveError> {
        let hook = match Hook::named(name).and_then(|hook| hook.check().map(|()| hook)) {
            Ok(hook) => hook,
            // What cannot even be started is looked at again in each run, and has done nothing.
            Err(error) if stored.rotation.undo.is_none() => return Err(error.into()),
            // It may be gone for good, and that keeps nobody from going back.
            Err(error) => {
                let (hook, why) = (name.to_owned(), error.fault.to_string());
                self.record(stored, Event::HookIntended { hook: hook.clone() }).await?;
                return self.record(stored, Event::HookFailed { hook, why }).await;
            }
        };
        if let Some(why) = outlasts(self.store, name, Duration::from_secs(hook.seconds())) {
            let (hook, why) = (name.to_owned(), format!("it was not started: {why}"));
            self.record(stored, Event::HookIntended { hook: hook.clone() }).await?;
            return self.record(stored, Event::HookFailed { hook, why }).await;
        }
        let secrets = match self.secrets(stored).await {
            Ok(secrets) => Some(secrets),
            Err(error @ DriveError::Store(_)) => return Err(error),
            // They are needed for nothing but to know what may be told of its output.
            Err(error) => {
                tracing::warn!("{error}; so nothing is told of what {name} prints");
                None
            }
        };
        let rotation = &stored.rotation;
        let key = match (&rotation.undo, &rotation.new_key) {
            (None, Some(new)) => new.key.clone(),
            _ => rotation.spec.old_key.clone(),
        };
        self.record(stored, Event::HookIntended { hook: name.to_owned() })
            .await?;
        self.progress.doing(&format!("running {name}"));
        self.still_held().await?;
        crash_point("hook: before it is started");
        let told = HookTold {
            target: &stored.target,
            rotation: &stored.id,
            key: key.as_str(),
        };
        let gives_away = |said: &str| match &secrets {
            Some((fields, old)) => fields.gives_away(said) || old.iter().any(|old| shows(said, old)),
            None => true,
        };
        let ended = hook.run(&told, gives_away).await;
        crash_point("hook: after its end");
        let hook = name.to_owned();
        let event = match ended {
            HookEnd::Ran => Event::HookRan { hook },
            HookEnd::Failed(why) => Event::HookFailed { hook, why },
        };
        self.record(stored, event).await
    }

    /// What its output may not repeat.
    async fn secrets(&self, stored: &Stored) -> Result<(Fields, Vec<Secret>), DriveError> {
        Ok((self.fields(stored).await?, self.old_secrets(stored).await?))
    }

    /// What the destinations held before, as far as it is kept here.
    pub(super) async fn old_secrets(&self, stored: &Stored) -> Result<Vec<Secret>, DriveError> {
        let reached = stored.rotation.new_key.iter().flat_map(|new| &new.reached);
        let names: Vec<String> = reached.map(|name| before(name)).chain([OLD_KEY.to_owned()]).collect();
        let mut kept = Vec::new();
        for name in names {
            kept.extend(self.unseal(stored, &name).await?);
        }
        Ok(kept)
    }
}
