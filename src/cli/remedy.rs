//! What to do about an error, added where a person reads it. Lines that begin with a command can be pasted.

use std::path::Path;

use rotate_providers::contract::{Error, Kind};
use rotate_providers::shell::quoted;
use rotate_providers::{Automation, automation};

use crate::delivery::Fault;
use crate::engine::driver::DriveError;
use crate::hooks::now;
use crate::private_file::Refused;
use crate::seal::SealError;
use crate::state_folder::FolderError;
use crate::store::{AnchorError, StoreError, Stored};

/// What an error is about.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    /// The target's name.
    pub(super) target: &'a str,
    /// The connector's id.
    pub(super) connector: &'a str,
}

impl<'a> Subject<'a> {
    /// A target of which only the name is known, and perhaps its rotation.
    pub(super) fn of(target: &'a str, stored: Option<&'a Stored>) -> Self {
        let of_name = target.split('/').next().unwrap_or(target);
        let connector = stored.map_or(of_name, |stored| stored.rotation.connector());
        Self { target, connector }
    }
}

/// What state an error left, and what to do.
pub(super) fn of(error: &DriveError, subject: Subject<'_>, stored: Option<&Stored>) -> Vec<String> {
    let mut lines = match error {
        DriveError::Provider(error) => of_vendor(error, subject.connector),
        DriveError::Store(error) => return of_store(error),
        DriveError::Seal(error) => of_sealed(error),
        DriveError::SecretMissing => of_sealed(&SealError::Open),
        DriveError::Delivery(error) => of_delivery(&error.fault),
        DriveError::Hook(error) => of_delivery(&error.fault),
        DriveError::Refused(refusal) => return refusal.remedy.clone(),
        DriveError::Useless(_) => {
            return vec!["correct what was refused, then run the same command again".to_owned()];
        }
        DriveError::NotWithdrawn(_, error) => return of(error, subject, stored),
        DriveError::Inconclusive(_) => vec!["nothing was undone; see to that, then try again".to_owned()],
        DriveError::Slow => vec![
            "the disk of the state folder, or this machine, is too busy; run the same command again when it is not"
                .to_owned(),
        ],
        DriveError::NotTaken => vec!["see whether something else sets this user's secret; then go on".to_owned()],
        DriveError::Lagging => vec!["the vendor's lists can lag; run the same command again in a minute".to_owned()],
        DriveError::Interrupted | DriveError::Illegal(_) | DriveError::UnknownConnector(_) => Vec::new(),
    };
    lines.extend(state(subject.target, stored));
    lines
}

/// What an error left behind.
fn state(target: &str, stored: Option<&Stored>) -> Vec<String> {
    let rotation = stored.and_then(|stored| stored.rotation.automated());
    let Some(rotation) = rotation.filter(|rotation| !rotation.phase.is_closed()) else {
        return vec!["nothing was changed".to_owned()];
    };
    let off = rotation.phase.is_delicate().then(|| {
        if rotation.phase.is_in_gap() {
            return format!("the consumers of {target} may be cut off until it goes on: do not wait");
        }
        format!(
            "old key {} may be off until it goes on: do not wait",
            rotation.spec.old_key
        )
    });
    let mut lines: Vec<String> = off.into_iter().collect();
    lines.extend([
        format!("{target} stands at `{}`; to go on:", rotation.reached()),
        "rotate run".to_owned(),
    ]);
    if rotation.phase.is_in_gap() {
        lines.extend([
            "where it never can, give it up: that asks nobody, and erases the sealed secrets, one of which may be the only copy of \
             what stands:"
                .to_owned(),
            format!("rotate abort --force {target}"),
        ]);
    }
    lines
}

fn of_vendor(error: &Error, connector: &str) -> Vec<String> {
    let connector = automation(connector);
    let line = match &error.kind {
        Kind::Denied {
            permission,
            grant,
            remedy,
        } => match (grant, remedy) {
            (Some(grant), _) => {
                return vec![
                    "have an administrator of the account grant it:".to_owned(),
                    grant.clone(),
                ];
            }
            (None, Some(remedy)) => (*remedy).to_owned(),
            (None, None) => format!("allow {permission} for the administrator's user or role"),
        },
        Kind::NoCredentials => connector.map(|it| it.credentials).unwrap_or_default().to_owned(),
        Kind::BadCredentials => {
            let command = connector.map(|it| it.try_credentials).unwrap_or_default();
            format!("check the administrator's credentials: {command}")
        }
        Kind::Expired => "sign in again: the administrator's session has expired".to_owned(),
        Kind::ClockSkew => "set this machine's clock (timedatectl), then try again".to_owned(),
        Kind::NotFound => {
            let option = connector.map(Automation::identity_option).unwrap_or_default();
            format!(
                "check the name given with {option}, and in which account it is; an open rotation of a user that is gone for \
                 good is ended with abort --force or rollback --force"
            )
        }
        Kind::Quota => "list the user's keys: one that nobody uses has to go first".to_owned(),
        Kind::Throttled => "the vendor is still busy; try again in a few minutes".to_owned(),
        Kind::Unreachable | Kind::TimedOut => {
            "check the network, the proxy and the options that say where to call".to_owned()
        }
        Kind::VendorFault | Kind::Malformed => "the fault is at the vendor; try again later".to_owned(),
        Kind::ForbiddenEndpoint => {
            let places = connector.map(|it| it.endpoint_from).unwrap_or_default();
            format!("an endpoint must be https, or http on the loopback interface; look at {places}")
        }
        Kind::Redirected => {
            let places = connector.map(|it| it.endpoint_from).unwrap_or_default();
            format!(
                "a vendor does not do this: another host is configured, or something on the way answers in its place (a portal, \
                 a proxy); look at {places}"
            )
        }
        // Their own words say what to do.
        Kind::Configuration | Kind::Refused => return Vec::new(),
    };
    vec![line]
}

fn of_delivery(fault: &Fault) -> Vec<String> {
    let remedy = fault.remedy().unwrap_or_default();
    remedy.lines().map(str::to_owned).collect()
}

/// What to do where a secret cannot be sealed or opened.
pub(super) fn of_sealed(error: &SealError) -> Vec<String> {
    match error {
        SealError::Service { remedy, .. } => remedy.lines().map(str::to_owned).collect(),
        SealError::Foreign { .. } => vec![
            "restore the state folder from a backup that has the journal and the identity together, or name one of those identities by \
             seal_identity_file or seal_identity_credential in [store] (where a machine is lost, the one that is kept offline); then:"
                .to_owned(),
            "rotate seal rekey".to_owned(),
        ],
        SealError::OtherKey { by, .. } => vec![
            "if that key has sealed until seal in [store] was changed, seal what waits anew, naming the key as it was named there:".to_owned(),
            format!("rotate seal rekey --from {}", quoted(by)),
            "if nobody here knows it, somebody has changed the store; see what the journal says of it:".to_owned(),
            "rotate audit verify".to_owned(),
        ],
        SealError::Newer | SealError::NotBuilt(_) => {
            vec!["use the version of rotate that sealed it, or a later one, with all its features".to_owned()]
        }
        _ => vec!["restore the state folder from a backup that has the journal and the identity together".to_owned()],
    }
}

/// What to do where what is to seal cannot be used: nothing was begun.
fn of_sealer(error: &SealError) -> Vec<String> {
    let untouched = |line: &str| vec![format!("nothing was touched; {line}")];
    match error {
        SealError::File { source, .. } if source.is_full() => untouched("make room on its disk"),
        SealError::File {
            path,
            source: Refused::NotOwnersAlone(_),
        } => untouched(&format!("run: chmod 600 {}", quoted(path))),
        SealError::NotARecipient { .. } => {
            let mut lines = untouched(
                "add this machine's own to seal in [store], on every machine, or name the identity that belongs to one of them by \
                 seal_identity_file or seal_identity_credential; then, on a machine that can open what waits:",
            );
            lines.push("rotate seal rekey".to_owned());
            lines
        }
        SealError::Recipients { .. } => untouched("correct the file that seal in [store] names, or its mode"),
        SealError::Identity { path, .. } if !path.starts_with('/') => untouched(
            "name the file with this machine's identity by seal_identity_file or seal_identity_credential in [store], as age-keygen \
             writes it, with mode 0600",
        ),
        SealError::Service { remedy, .. } => {
            let mut lines = vec!["nothing was touched".to_owned()];
            lines.extend(remedy.lines().map(str::to_owned));
            lines
        }
        SealError::Newer | SealError::NotBuilt(_) => untouched("use one that was built with all its features"),
        _ => untouched("restore the file from a backup, or fix its mode"),
    }
}

/// What to do about a state folder that cannot be used.
pub(super) fn of_folder(error: &FolderError) -> Vec<String> {
    match error {
        FolderError::Store(error) => of_store(error),
        FolderError::Seal(error) => of_sealer(error),
        FolderError::Sealed { source, .. } => {
            let mut lines = vec!["nothing was touched".to_owned()];
            lines.extend(of_sealed(source));
            lines
        }
        FolderError::JournalLost(identity) => vec![
            "nothing was touched; restore the state folder from a backup that has the journal and the identity together".to_owned(),
            format!(
                "where nothing was ever rotated from here, and nothing is kept: rm {}",
                quoted(&identity.with_file_name("identity.age").to_string_lossy())
            ),
        ],
        FolderError::TwoJournals(database) => {
            let path = database.to_string_lossy();
            vec![
                "nothing was touched; move the one of the folder, with its past, to the server, and put the file aside:".to_owned(),
                format!("rotate store copy --from {}", quoted(&format!("sqlite:{path}"))),
                format!("mv {} {}", quoted(&path), quoted(&format!("{path}.copied"))),
            ]
        }
        FolderError::ServerUnknown(config) | FolderError::SealUnknown(config) => vec![
            "nothing was touched; mend the file; what is wrong in it is said by:".to_owned(),
            format!("rotate plan --config {}", quoted(&config.to_string_lossy())),
        ],
        FolderError::Required(_) => vec![
            "nothing was touched; see that the state folder is mounted, and that --state-dir, $ROTATE_STATE_DIR or state_dir names \
             it; one that is lost is restored from a backup. Where nothing was ever rotated from here:"
                .to_owned(),
            "rotate init --state".to_owned(),
        ],
        FolderError::Anchor(AnchorError::Behind { path, .. }) => vec![
            "nothing was touched; find the copy of the state folder that has it, and put that in place. Where this journal is to go \
             on all the same, see what it does not know of, by `rotate plan`; then begin a new anchor:"
                .to_owned(),
            moved_away(path),
        ],
        FolderError::Anchor(_) => vec![
            "nothing was touched; see that its folder is mounted, and that this user may write the file".to_owned(),
        ],
        FolderError::IdentityLost(_) => vec![
            "nothing was touched; restore the file from a backup, or say again by seal in [store] what has sealed it".to_owned(),
        ],
        FolderError::Written => vec!["nothing was touched; try again when no other run is at work".to_owned()],
        FolderError::Nowhere => Vec::new(),
    }
}

/// An anchor that is kept, and noted down in no more. Its name has the time: one that was moved away earlier is evidence as well.
fn moved_away(anchor: &Path) -> String {
    let anchor = anchor.to_string_lossy();
    let aside = format!("{anchor}.before-{}", now().strftime("%Y%m%dT%H%M%SZ"));
    format!("mv {} {}", quoted(&anchor), quoted(&aside))
}

/// What to do about a store.
pub(super) fn of_store(error: &StoreError) -> Vec<String> {
    let untouched = |line: &str| vec![format!("nothing was touched; {line}")];
    match error {
        StoreError::Held(_) => untouched("wait until it has ended, then run the same command again"),
        StoreError::Leased { .. } => untouched(
            "wait until it has ended, then run the same command again; of a run that was killed the lease ends by itself",
        ),
        StoreError::Unreachable { .. } => {
            vec!["see that the server runs and can be reached from here, then run the same command again: it goes on where the journal \
                  stands".to_owned()]
        }
        StoreError::Unknown { .. } => vec![
            "see that the server runs and can be reached from here, then run the same command again: it reads the journal, and the \
             vendor, before it does anything".to_owned(),
        ],
        StoreError::Unfit { remedy, .. } => untouched(remedy),
        StoreError::OtherIdentity { .. } => untouched(
            "bring identity.age of the machine that began the journal into the state folder of this one, in the place of its own",
        ),
        StoreError::OtherSealer { .. } => vec![
            "nothing was touched; give every machine the same seal in [store]; then, on one that can open what waits:".to_owned(),
            "rotate seal rekey".to_owned(),
        ],
        StoreError::Changing { .. } => vec![
            "nothing was touched; on a machine that can open what waits, whose seal in [store] says the same:".to_owned(),
            "rotate seal rekey".to_owned(),
        ],
        StoreError::NotMigrated { .. } => vec![
            "nothing was touched; have the owner of the schema make them, or bring them to that version:".to_owned(),
            "rotate store migrate".to_owned(),
        ],
        StoreError::Unsafe { .. } => vec!["nothing was touched".to_owned()],
        StoreError::Damaged { .. } => untouched("restore the state folder from a backup"),
        StoreError::Newer { .. } => untouched("use the version of rotate that wrote it, or a later one"),
        StoreError::Changed { .. } => vec![
            "nothing was touched; see how much of the journal is intact, then restore it from a backup:".to_owned(),
            "rotate audit verify".to_owned(),
        ],
        StoreError::NotAhead { .. } => vec![
            "nothing was touched; find the copy that has it, and start no run with this one before: rotations that it knows \
             nothing of may be open, with keys that it would take for somebody else's"
                .to_owned(),
        ],
        StoreError::NoSuchEvent { .. } => vec![
            "nothing was touched; see which it has:".to_owned(),
            "rotate audit verify".to_owned(),
        ],
        StoreError::Race => vec!["run the same command again".to_owned()],
        StoreError::Full { .. } => {
            vec!["make room, then run the same command again: it goes on where it stands".to_owned()]
        }
        StoreError::Database(_) => Vec::new(),
    }
}
