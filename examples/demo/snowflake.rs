//! Snowflake: the key is made here, and its public half goes into the slot that is free. The consumer holds a private key
//! that a person uploaded, and moves when a person uploads another.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rotate_fixtures::SnowflakeWorkplace;
use rotate_fixtures::snowflake::Action;
use rotate_fixtures::snowflake_workplace::{TARGET, USER};

use crate::consumer::Watched;
use crate::stage::{Victim, run, say};

/// Whether the key was rotated and its consumer never failed.
pub(crate) fn demonstrate() -> bool {
    let place = SnowflakeWorkplace::new(std::env::current_exe().expect("the running program has a path"));
    let held = Arc::new(Mutex::new(place.consumer()));
    let consumer = Watched::start({
        let held = Arc::clone(&held);
        move || held.lock().is_ok_and(|key| key.works())
    });
    let one_shot = ["snowflake-keypair", "--user", USER, "--soak", "2s"];
    let rotate = |arguments: &[&str]| run(place.command(arguments), arguments);

    say("A user with one key pair, and a consumer that logs in with it again and again.");
    show_slots(&place);

    say("What would be done?");
    rotate(&[one_shot.as_slice(), &["--dry-run"]].concat());

    say("The rotation begins, and is killed with SIGKILL while Snowflake takes the new public key.");
    let victim = Victim::default();
    place.cloud.on_effect({
        let victim = victim.clone();
        move |effect| {
            if effect.action == Action::SetKey {
                victim.kill();
            }
        }
    });
    victim.run(place.command(one_shot), &one_shot);
    show_slots(&place);

    say("The same command again: the private half was sealed before the call left, so the same key goes on.");
    rotate(&one_shot);
    show_slots(&place);

    say("A person uploads the new private key to the consumer, and says so. The old key's slot is emptied.");
    if let Ok(mut held) = held.lock() {
        *held = place.holder_of(&place.delivered());
    }
    rotate(&["confirm", TARGET]);
    show_slots(&place);

    say("The soak is over: until now the old key could have been registered again.");
    std::thread::sleep(Duration::from_millis(2200));
    rotate(&["run"]);
    show_slots(&place);
    rotate(&["audit", TARGET]);
    let old = place.old.fingerprint();
    let rotated = place.fingerprints().into_iter().flatten().all(|key| key != old);
    consumer.stop() && rotated
}

fn show_slots(place: &SnowflakeWorkplace) {
    let [first, second] = place.fingerprints();
    for (slot, held) in [("RSA_PUBLIC_KEY", first), ("RSA_PUBLIC_KEY_2", second)] {
        let age = match &held {
            Some(key) if key == place.old.fingerprint() => " (old key)",
            Some(_) => " (new key)",
            None => "",
        };
        println!("   at Snowflake: {slot:<16} {}{age}", held.as_deref().unwrap_or("null"));
    }
}
