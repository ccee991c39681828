//! What is left in memory of a secret that was opened and sealed anew: the program is stopped right before it writes that down.

use rotate_fixtures::memory_holds;
use rotate_fixtures::stopped::while_process_is_at_nth;

use super::Desk;

#[test]
fn nothing_is_left_of_a_secret_that_was_opened_and_sealed_anew() {
    let desk = Desk::new();
    desk.begin().expect(0);
    let secret = desk.place.delivered_key().unwrap().secret;
    let ((machine, to_machine), (_, to_offline)) = (desk.identity("machine.txt"), desk.identity("offline.txt"));
    desk.seals_to(&[&to_machine, &to_offline], &machine);
    let (mut is_left, mut knows_the_target) = (true, false);
    let rekey = desk.place.command(["seal", "rekey"]);
    // Before the last of them all were opened.
    let at = ("reseal: before commit", desk.sealed().len());
    let ran = while_process_is_at_nth(rekey, at, |process| {
        is_left = memory_holds(process, secret.as_bytes());
        knows_the_target = memory_holds(process, b"s3-customer-managed");
    });
    ran.expect(0);
    assert!(knows_the_target, "its memory was not looked through");
    assert!(!is_left, "the secret is still in its memory");
}
