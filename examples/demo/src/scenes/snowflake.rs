//! Snowflake: the key is made here, and its public half goes into the slot that is free. The consumer holds a private key
//! that a person uploaded, and moves when a person uploads another.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rotate_fixtures::SnowflakeWorkplace;
use rotate_fixtures::snowflake::Action;
use rotate_fixtures::snowflake_workplace::{TARGET, USER};

use crate::consumer::Watched;
use crate::stage::Stage;

const SOAK: Duration = Duration::from_secs(2);

pub(crate) fn play(stage: &Stage, program: &Path, folder: &Path) {
    stage.scene("A Snowflake key pair, and another kill");
    let place = SnowflakeWorkplace::in_folder(program, folder);
    let held = Arc::new(Mutex::new(place.consumer()));
    let consumer = Watched::start({
        let held = Arc::clone(&held);
        move || held.lock().is_ok_and(|key| key.works())
    });
    let one_shot = ["snowflake-keypair", "--user", USER, "--soak", "2s"];
    let rotate = |arguments: &[&str]| stage.run(place.command(arguments), arguments, 0);

    stage.say("A user with one key pair, and a consumer that logs in with it again and again.");
    show_slots(stage, &place);

    stage.say("It begins, and is killed while Snowflake takes the new public key.");
    let kill = |trap: crate::running::Trap| {
        place.cloud.on_effect(move |effect| {
            if effect.action == Action::SetKey {
                trap.spring();
            }
        });
    };
    stage.run_into(kill, place.command(one_shot), &one_shot);
    show_slots(stage, &place);

    stage.say("The same command again. The private half was sealed before the call left: the same key goes on.");
    rotate(&one_shot);

    stage.say("A person uploads the new private key to the consumer, and says so. The old key's slot is emptied.");
    if let Ok(mut held) = held.lock() {
        *held = place.holder_of(&place.delivered());
    }
    rotate(&["confirm", TARGET]);
    show_slots(stage, &place);

    stage.wait("The old key rests: it could still be registered again.", SOAK);
    stage.say("The rest is over; a run ends the rotation.");
    rotate(&["run"]);

    let old = place.old.fingerprint();
    let slots = place.fingerprints();
    stage.expect(slots.iter().flatten().all(|key| key != old), || {
        "the old key at Snowflake is still there".to_owned()
    });
    stage.expect(slots.iter().flatten().count() == 1, || {
        format!("{USER} does not have exactly one key at Snowflake")
    });
    stage.dismiss(consumer);
}

fn show_slots(stage: &Stage, place: &SnowflakeWorkplace) {
    for (slot, held) in ["RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"]
        .into_iter()
        .zip(place.fingerprints())
    {
        let shown = match &held {
            Some(key) if key == place.old.fingerprint() => format!("{} (old key)", short(key)),
            Some(key) => format!("{} (new key)", short(key)),
            None => "null".to_owned(),
        };
        stage.show(&format!("at Snowflake: {slot:<16} {shown}"));
    }
}

/// As much of a fingerprint as tells two apart.
fn short(fingerprint: &str) -> String {
    format!("{} …", fingerprint.chars().take(20).collect::<String>())
}
