//! What has changed behind the journal's back.

use rotate_fixtures::FleetWorkplace;
use rotate_fixtures::aws::Action;

use super::{AT_ONCE, DAY, ROTATE};

/// A young key that was seen once.
fn seen() -> FleetWorkplace {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(AT_ONCE);
    place.add_user("main", DAY * 10, "");
    place.run(["run"]).expect(0);
    place
}

#[test]
fn a_strange_key_blocks_until_it_is_gone() {
    let mut place = seen();
    let strange = place.cloud.add_key("main");
    // Within a week nobody is asked.
    place.run(["run"]).expect(0);
    place.pass(DAY * 8);
    let why = format!("key {}", strange.id);
    let ran = place.run(["run"]).expect(3);
    assert!(
        ran.stdout.contains(&why) && ran.stdout.contains("rotate did not make it"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("confirm main"), "{}", ran.stdout);
    // It stays so, even when the target is due.
    place.pass(DAY * 200);
    place.run(["run"]).expect(3);
    assert_eq!(place.actions()[0].1, "blocked");
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 0);
    place.cloud.delete_key(&strange.id);
    place.run(["run"]).expect(0).says(&["1 target: 1 ended"]);
}

#[test]
fn a_strange_key_that_a_person_accepts_is_one_of_the_keys() {
    let mut place = seen();
    let before = place.keys("main");
    let _ = place.cloud.add_key("main");
    place.cloud.set_key_status(&before[0], true);
    place.pass(DAY * 8);
    place.run(["run"]).expect(3);
    place.run(["confirm", "main"]).expect(0).says(&["main: accepted"]);
    // It is no surprise any more, but two keys that work leave no room for a third.
    let ran = place.run(["run"]).expect(3);
    assert!(ran.stdout.contains("both slots"), "{}", ran.stdout);
    place.cloud.delete_key(&place.keys("main")[1]);
    place.run(["run"]).expect(0).says(&["1 target: 1 not due"]);
}

/// A window may be shut for weeks.
#[test]
fn a_key_that_waits_for_its_window_is_looked_at_as_often_as_any_other() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(&format!("{AT_ONCE}look_every = \"1d\"\n"));
    let open = (place.now() + DAY * 2).strftime("%a").to_string().to_lowercase();
    place.add_user("main", DAY * 179, &format!("window = {{ days = [\"{open}\"] }}"));
    place.run(["run"]).expect(0).says(&["1 target: 1 waiting"]);
    let strange = place.cloud.add_key("main");
    // Within a day nobody is asked.
    place.run(["run"]).expect(0).says(&["1 target: 1 waiting"]);
    place.pass(DAY);
    let ran = place.run(["run"]).expect(3);
    assert!(ran.stdout.contains(&format!("key {}", strange.id)), "{}", ran.stdout);
    assert_eq!(place.actions()[0].1, "blocked");
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 0);
}

#[test]
fn a_key_that_vanished_blocks() {
    let mut place = seen();
    let key = place.keys("main")[0].clone();
    let _ = place.cloud.add_key("main");
    place.cloud.delete_key(&key);
    place.pass(DAY * 8);
    let ran = place.run(["run"]).expect(3);
    assert!(
        ran.stdout.contains(&format!("key {key} was in use, and is gone")),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_user_that_was_made_again_blocks() {
    let mut place = seen();
    place.cloud.delete_user("main");
    place.cloud.add_user("main");
    let _ = place.cloud.add_key("main");
    place.pass(DAY * 8);
    let ran = place.run(["run"]).expect(3);
    assert!(ran.stdout.contains("was deleted and created again"), "{}", ran.stdout);
}

#[test]
fn a_target_that_becomes_another_user_blocks_until_a_person_says_so() {
    let mut place = seen();
    let text = std::fs::read_to_string(place.path("rotate.toml")).unwrap();
    place.cloud.add_user("other");
    let _ = place.cloud.add_key("other");
    place.configure(&text.replace("user = \"main\"", "user = \"other\""));
    place.pass(DAY * 8);
    let ran = place.run(["run"]).expect(3);
    assert!(
        ran.stdout
            .contains("this target was user main so far, and is now user other"),
        "{}",
        ran.stdout
    );
    place.run(["confirm", "main"]).expect(0);
    place.run(["run"]).expect(0).says(&["1 target: 1 not due"]);
}

#[test]
fn a_new_key_that_someone_switched_off_blocks() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(AT_ONCE);
    place.add_user("main", DAY * 179, "");
    place.run(["run"]).expect(0);
    let new = place.delivered_key("main").unwrap();
    place.cloud.set_key_status(&new.id, false);
    place.pass(DAY * 8);
    let ran = place.run(["run"]).expect(3);
    assert!(ran.stdout.contains("someone has switched it off"), "{}", ran.stdout);
}

/// What a person has taken back is not begun again the next night.
#[test]
fn an_aborted_rotation_is_begun_again_only_once_a_person_says_so() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure("[defaults]\naws_calls_per_second = 0\n");
    place.add_user("main", DAY * 170, "");
    place.run(["run"]).expect(0);
    place.run(["abort", "main"]).expect(0);
    place.pass(DAY);
    let created = place.cloud.count_of(Action::CreateAccessKey);
    let ran = place.run(["run"]).expect(3);
    assert!(ran.stdout.contains("was aborted by"), "{}", ran.stdout);
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), created);
    place.run(["confirm", "main"]).expect(0);
    place.run(["run"]).expect(0).says(&["1 target: 1 waiting"]);
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), created + 1);
}

/// After a rotation as well, what a person accepts is what is expected from there on.
#[test]
fn what_is_accepted_after_a_rotation_is_accepted_for_good() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(AT_ONCE);
    place.add_user("main", DAY * 179, "");
    place.run(["run"]).expect(0);
    let new = place.delivered_key("main").unwrap();
    // Someone rotates by hand: the journal's key goes, and another one comes.
    let by_hand = place.cloud.add_key("main");
    place.cloud.delete_key(&new.id);
    place.pass(DAY * 8);
    let ran = place.run(["run"]).expect(3);
    assert!(
        ran.stdout.contains(&format!("key {} was in use, and is gone", new.id)),
        "{}",
        ran.stdout
    );
    let confirmed = place.run(["confirm", "main", "--output", "json"]).expect(0);
    assert_eq!(confirmed.json()["targets"][0]["name"], "main");
    for _ in 0..3 {
        place.run(["run"]).expect(0).says(&["1 not due"]);
        place.pass(DAY * 8);
    }
    // And its age counts from there.
    place.pass(DAY * 150);
    place.run(["run"]).expect(0).says(&["1 ended"]);
    assert!(!place.cloud.key_exists(&by_hand.id));
}

/// Whoever accepts what is there has not said that a key may be deleted, which nobody could take back: it was switched off by a
/// person, who may switch it on again.
#[test]
fn a_key_that_a_person_has_switched_off_is_theirs_to_delete_although_it_was_accepted_like_that() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(AT_ONCE);
    place.add_user("main", DAY * 179, "");
    place.run(["run"]).expect(0);
    let ours = place.delivered_key("main").unwrap();
    let by_hand = place.cloud.add_key("main");
    place.cloud.set_key_status(&ours.id, false);
    place.pass(DAY * 8);
    place.run(["run"]).expect(3);
    place.run(["confirm", "main"]).expect(0);
    place.pass(DAY * 200);
    let ran = place.run(["run"]).expect(3);
    for words in ["both slots are full", &ours.id, &by_hand.id, "delete-access-key"] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    assert!(place.cloud.key_exists(&ours.id) && place.cloud.key_exists(&by_hand.id));
    place.cloud.delete_key(&ours.id);
    place.run(["run"]).expect(0).says(&["1 ended"]);
    assert!(!place.cloud.key_exists(&by_hand.id));
}

/// Begins a rotation of `main` by the command for it alone, which calls its target by another name.
fn by_a_command(place: &mut FleetWorkplace, options: &[&str]) {
    let named = std::fs::read_to_string(place.path("rotate.toml")).unwrap();
    place.configure(&named.replace("name = \"main\"", "name = \"s3-customer-managed/main\""));
    let destination = format!("file:{}", place.delivered("main").display());
    let command = [
        "s3-customer-managed",
        "--user",
        "main",
        "--bucket",
        "acme-data",
        "--deliver",
        &destination,
    ];
    place.run(command.iter().chain(options)).expect(0);
}

/// The journal may know a rotation of a target that was never looked at: a command for it alone had begun it.
#[test]
fn what_was_aborted_before_it_was_ever_seen_can_be_begun_again() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure("[defaults]\naws_calls_per_second = 0\n");
    place.add_user("main", DAY * 170, "");
    by_a_command(&mut place, &[]);
    place.run(["abort", "s3-customer-managed/main"]).expect(0);
    let ran = place.run(["run"]).expect(3);
    assert!(ran.stdout.contains("was aborted by"), "{}", ran.stdout);
    place.run(["confirm", "s3-customer-managed/main"]).expect(0);
    place.run(["run"]).expect(0).says(&["1 waiting"]);
}

/// A cut-over may stay within its allowance while the key behind it is too old by now.
#[test]
fn a_key_that_should_be_gone_calls_a_person_whatever_its_rotation_waits_for() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure("[defaults]\naws_calls_per_second = 0\n");
    place.add_user("main", DAY * 181, "");
    place.run(["run"]).expect(0);
    place.run(["run"]).expect(3).says(&["1 waiting"]);
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 1);
}

/// A target that another command had rotated at once, and that was never looked at.
fn rotated_by_a_command() -> FleetWorkplace {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(AT_ONCE);
    place.add_user("main", DAY * 100, "");
    by_a_command(&mut place, &["--cutover", "immediate", "--soak", "0s"]);
    place.pass(DAY * 8);
    place
}

/// The first look at a target may be the one that finds it changed.
#[test]
fn what_has_changed_before_the_first_look_blocks_until_a_person_says_so() {
    let place = rotated_by_a_command();
    let new = place.keys("main")[0].clone();
    let _ = place.cloud.add_key("main");
    place.cloud.delete_key(&new);
    for _ in 0..3 {
        let ran = place.run(["run", "--due-within", "3650d"]).expect(3);
        assert!(ran.stdout.contains("was in use, and is gone"), "{ran:#?}");
    }
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 1);
    place.run(["confirm", "s3-customer-managed/main"]).expect(0);
    place.run(["run", "--due-within", "3650d"]).expect(0).says(&["1 ended"]);
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 2);
}

#[test]
fn a_strange_key_at_the_first_look_stays_strange() {
    let place = rotated_by_a_command();
    let strange = place.cloud.add_key("main");
    for _ in 0..3 {
        let ran = place.run(["run"]).expect(3);
        assert!(ran.stdout.contains("rotate did not make it"), "{ran:#?}");
    }
    place.cloud.delete_key(&strange.id);
    place.run(["run"]).expect(0).says(&["1 not due"]);
}

/// Whoever has rotated it by hand can say that what they left is right.
#[test]
fn what_a_passage_by_hand_has_changed_can_be_accepted() {
    let mut place = seen();
    let text = std::fs::read_to_string(place.path("rotate.toml")).unwrap();
    let old = place.keys("main")[0].clone();
    place.configure(
        "[[target]]\nname = \"main\"\nconnector = \"s3-customer-managed\"\nby_hand = true\nuser = \"main\"\nbucket = \"acme-data\"\n\
         last_rotated = \"2020-01-10\"\n",
    );
    place.run(["run"]);
    let _ = place.cloud.add_key("main");
    place.cloud.delete_key(&old);
    for step in 1.. {
        // Nobody shows the new secret here, so the step that tries it is left out when its turn has come.
        let left_out = place.run(["done", "main", "--skip", "prove-the-key", "--why", "tried elsewhere"]);
        let ran = match left_out.code {
            Some(0) => left_out,
            _ => place.run(["done", "main", &step.to_string()]).expect(0),
        };
        if ran.stderr.contains("rotated on") {
            break;
        }
        assert!(step < 50, "it never ends");
    }
    place.configure(&text);
    place.pass(DAY * 8);
    let ran = place.run(["run"]).expect(3);
    assert!(ran.stdout.contains("confirm main"), "{ran:#?}");
    place.run(["confirm", "main"]).expect(0).says(&["main: accepted"]);
    place.run(["run"]).expect(0).says(&["1 target: 1 not due"]);
}
