//! A secret that a person types is not shown, whatever the terminal does otherwise.

use std::io::{Read, Write};

use rotate_fixtures::place::{self, Ran};
use rotate_fixtures::probed_vendor::Said;

use super::desk::{AGENT, CANARY, Desk};

/// At a terminal that shows what is typed, a person waits for each of these words and then types what stands beside it.
fn talk(desk: &Desk, arguments: &[&str], talk: &[(&str, &str)]) -> Ran {
    let mut child = place::showing_terminal(&desk.command(arguments.iter().copied()), 100)
        .spawn()
        .unwrap();
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut seen, mut part) = (Vec::new(), [0; 4096]);
    let mut from = 0;
    for (wait, typed) in talk {
        // What stands behind the words may be what is waited for next.
        from = loop {
            let found = seen[from..]
                .windows(wait.len())
                .position(|part| part == wait.as_bytes());
            if let Some(at) = found {
                break from + at + wait.len();
            }
            let length = screen.read(&mut part).unwrap();
            assert!(length > 0, "no {wait:?}: {}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&part[..length]);
        };
        keyboard.write_all(typed.as_bytes()).unwrap();
    }
    screen.read_to_end(&mut seen).unwrap();
    let code = child.wait().unwrap().code();
    Ran {
        code,
        stdout: String::from_utf8_lossy(&seen).into_owned(),
        stderr: String::new(),
    }
}

#[test]
fn at_a_terminal_that_shows_what_is_typed_the_secret_is_not_shown() {
    let desk = Desk::new();
    let ran = talk(
        &desk,
        &["verify", "freshdesk", "--domain", "acme"],
        &[("(not shown): ", &format!("{CANARY}\n"))],
    );
    assert!(ran.stdout.contains("ACCEPTED (http-200)"), "{}", ran.stdout);
    assert_eq!(ran.code, Some(0));
    desk.expect_no_canary(&ran);
    assert_eq!(desk.vendor.asked().len(), 1);
}

#[test]
fn a_walk_offers_the_try_at_its_step_and_ticks_it_once_the_vendor_has_accepted() {
    let desk = Desk::new();
    let target = "freshdesk/acme";
    desk.run(["freshdesk", "--domain", "acme", "--begin"]).expect(0);
    let guide = rotate_providers::connector("freshdesk").unwrap().guide().unwrap();
    let before = guide.rotate.iter().take_while(|step| step.id != "try-the-new-key");
    for step in before {
        desk.run(["done", target, &step.id]).expect(0);
    }
    desk.vendor.says(Said::json(401, "{}"));
    let secret = format!("{CANARY}\n");
    let ran = talk(
        &desk,
        &["walk", target],
        &[
            ("v = let rotate try the new credential", "v\n"),
            ("(not shown): ", &secret),
            ("rejected (http-401)", ""),
            ("v = let rotate try the new credential", "q\n"),
        ],
    );
    desk.expect_no_canary(&ran);
    desk.vendor.says(Said::json(200, AGENT));
    let ran = talk(
        &desk,
        &["walk", target],
        &[
            ("v = let rotate try the new credential", "v\n"),
            ("(not shown): ", &secret),
            ("accepted (http-200)", ""),
            ("save-in-gainsight", "q\n"),
        ],
    );
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    desk.expect_no_canary(&ran);
    let journal = desk.run(["audit"]).expect(0).stdout;
    for line in [
        "new credential by ",
        "rejected (http-401)",
        "accepted (http-200)",
        "try-the-new-key by ",
    ] {
        assert!(journal.contains(line), "{line}\n{journal}");
    }
}
