//! AWS: the vendor makes the key and shows its secret once. The consumer reads its credentials file before each request,
//! as the AWS tools do.

use std::path::Path;
use std::time::Duration;

use rotate_fixtures::Workplace;
use rotate_fixtures::aws::{Action, Consumer};
use rotate_fixtures::workplace::{BUCKET, TARGET, USER};

use crate::consumer::Watched;
use crate::stage::Stage;

/// The file from which the consumer has its key.
const FILE: &str = "credentials";
const SOAK: Duration = Duration::from_secs(2);

pub(crate) fn play(stage: &Stage, program: &Path, folder: &Path, sabotage: bool) {
    stage.scene("An AWS access key, and a kill at the worst moment");
    let place = Workplace::in_folder(program, folder);
    write_credentials(&place);
    let consumer = Watched::start({
        let (path, endpoint) = (place.path(FILE), place.cloud.endpoint());
        move || request(&path, &endpoint)
    });
    let one_shot = [
        "s3-customer-managed",
        "--user",
        USER,
        "--bucket",
        BUCKET,
        "--deliver",
        "aws-profile:gainsight@credentials",
        "--soak",
        "2s",
    ];
    let rotate = |arguments: &[&str]| stage.run(place.command(arguments), arguments, 0);

    stage.say("A user with one access key, and a consumer that reads it from a credentials file and lists a bucket.");
    show_keys(stage, &place);

    stage.say("What would be done? A dry run asks the code that would do it, and writes nothing.");
    rotate(&[one_shot.as_slice(), &["--dry-run"]].concat());

    stage.say("Now it begins, and is killed: AWS has made a key, and nobody has its secret.");
    let kill = |trap: crate::running::Trap| {
        place.cloud.on_effect(move |effect| {
            if effect.action == Action::CreateAccessKey {
                trap.spring();
            }
        });
    };
    stage.run_into(kill, place.command(one_shot), &one_shot);
    show_keys(stage, &place);
    if sabotage {
        stage.say("SABOTAGE: somebody disables the key that the consumer uses, for half a second.");
        place.cloud.set_key_status(&place.old.id, false);
        std::thread::sleep(Duration::from_millis(500));
        place.cloud.set_key_status(&place.old.id, true);
    }

    stage.say("The same command again. The key that nobody has is found and deleted; a new one takes its place.");
    rotate(&one_shot);
    show_keys(stage, &place);

    stage.say(
        "A person says that every consumer has moved. It warns that AWS has seen the old key in use a moment ago: that was \
         this consumer, before it moved. The old key is disabled, and the new one proven again.",
    );
    rotate(&["confirm", TARGET]);
    show_keys(stage, &place);

    stage.wait(
        "The old key rests, disabled: it could still be switched on again.",
        SOAK,
    );
    stage.say("The rest is over; a run, from cron, deletes the old key.");
    rotate(&["run"]);
    show_keys(stage, &place);

    stage.say("What happened, line by line, and the proof that nobody has changed a line of it.");
    rotate(&["audit"]);
    rotate(&["audit", "verify"]);

    stage.expect(place.cloud.keys_of(USER).len() == 1, || {
        format!("{USER} has more than one key at AWS")
    });
    stage.expect(!place.cloud.key_exists(&place.old.id), || {
        "the old key at AWS is still there".to_owned()
    });
    stage.dismiss(consumer);
}

fn show_keys(stage: &Stage, place: &Workplace) {
    for key in place.cloud.keys_of(USER) {
        let state = if key.active { "active" } else { "inactive" };
        let age = if key.id == place.old.id { "old" } else { "new" };
        stage.show(&format!("at AWS: {} {state} ({age} key)", key.id));
    }
}

fn request(path: &Path, endpoint: &str) -> bool {
    let held = std::fs::read_to_string(path).unwrap_or_default();
    let value = |name: &str| {
        let line = held.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split(" = ").nth(1)).unwrap_or_default()
    };
    let consumer = Consumer::new(endpoint, value("aws_access_key_id"), value("aws_secret_access_key"));
    consumer.list_bucket(BUCKET).is_ok()
}

fn write_credentials(place: &Workplace) {
    use std::os::unix::fs::PermissionsExt;
    let held = format!(
        "# the consumer's own file\n[gainsight]\naws_access_key_id = {}\naws_secret_access_key = {}\nregion = us-east-1\n",
        place.old.id, place.old.secret
    );
    let path = place.path(FILE);
    std::fs::write(&path, held).expect("the credentials file can be written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("the file is ours");
}
