//! Each way in which Snowflake refuses a login is told as what it is, with its own remedy and with no code but the one that was
//! sent; and what time does not heal is not tried over and over.
//!
//! Leans on the strict fake, which refuses in Snowflake's own words, and counts logins.

use rotate_fixtures::snowflake::Action;
use rotate_fixtures::snowflake_workplace::USER;
use rotate_fixtures::{Ran, SnowflakeWorkplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

struct Refusal {
    code: &'static str,
    message: &'static str,
    /// What is told, the code among it where it is sure to be the one that was sent.
    told: &'static [&'static str],
    /// Whether time may heal it.
    heals: bool,
}

const REFUSALS: &[Refusal] = &[
    Refusal {
        code: "390422",
        message: "Incoming request with IP/Token 203.0.113.7 is not allowed to access Snowflake. Contact your local security \
                  administrator.",
        told: &["390422", "does not let this machine's address in", "allow the address"],
        heals: false,
    },
    Refusal {
        code: "390432",
        message: "Network policy is required.",
        told: &["390432", "wants a network policy", "SET NETWORK_POLICY", "key pair"],
        heals: false,
    },
    Refusal {
        code: "390202",
        message: "Authentication attempt rejected by the current authentication policy.",
        told: &[
            "authentication policy",
            "SHOW AUTHENTICATION POLICIES",
            "KEYPAIR",
            "DRIVERS",
        ],
        heals: false,
    },
    Refusal {
        code: "390106",
        message: "Specified password has expired. Password must be changed using the Snowflake web console.",
        told: &["has expired", "change it in Snowsight", "SNOWFLAKE_PRIVATE_KEY_FILE"],
        heals: false,
    },
    Refusal {
        code: "390101",
        message: "User access disabled. Contact your local system administrator.",
        told: &["disabled until somebody", "SET DISABLED = FALSE"],
        heals: true,
    },
    Refusal {
        code: "394508",
        message: "MFA with TOTP is required. To authenticate, provide both your password and a current TOTP passcode.",
        told: &["second factor", "SNOWFLAKE_PRIVATE_KEY_FILE"],
        heals: false,
    },
    Refusal {
        code: "390102",
        message: "Your user account has been temporarily locked due to too many failed attempts. Try again after 15 minutes or \
                  contact your account administrator for assistance.",
        told: &["locked for some minutes", "MINS_TO_UNLOCK"],
        heals: true,
    },
    Refusal {
        code: "390999",
        message: "The account is being moved to another region.",
        told: &["for a reason that rotate does not know", "LOGIN_HISTORY_BY_USER"],
        heals: true,
    },
];

/// No code but the one that was sent, if any; and nothing of another refusal's remedy.
#[track_caller]
fn expect_no_other(refusal: &Refusal, ran: &Ran) {
    for other in REFUSALS.iter().filter(|other| other.code != refusal.code) {
        assert!(!ran.stderr.contains(other.code), "{}: {}", other.code, ran.stderr);
    }
    for remedy in [
        "allow the address",
        "SET NETWORK_POLICY",
        "SET DISABLED",
        "MINS_TO_UNLOCK",
        "change it in Snowsight",
    ] {
        let is_own = refusal.told.iter().any(|told| told.contains(remedy));
        assert_eq!(ran.stderr.contains(remedy), is_own, "{remedy}: {}", ran.stderr);
    }
    assert!(!ran.stderr.contains("is wrong"), "{}", ran.stderr);
}

#[test]
fn each_refusal_of_the_administrator_has_its_own_remedy_and_no_code_that_was_not_sent() {
    for refusal in REFUSALS {
        let place = SnowflakeWorkplace::new(ROTATE);
        let admin = place.cloud.admin_user().to_owned();
        place.cloud.refuse_logins(&admin, refusal.code, refusal.message);
        let ran = place.run(["snowflake-keypair", "--user", USER]);
        let ran = ran
            .expect(1)
            .says(refusal.told)
            .says(&["ROTATE_ADMIN", "nothing was changed"]);
        expect_no_other(refusal, &ran);
        place.expect_untouched();
    }
}

/// The way in which the proof of the new key is refused says nothing of the key, and is not the key's fault.
#[test]
fn a_refusal_of_the_proof_that_time_does_not_heal_is_asked_for_once() {
    std::thread::scope(|scope| {
        for refusal in REFUSALS {
            scope.spawn(|| proof_is_refused(refusal));
        }
    });
}

fn proof_is_refused(refusal: &Refusal) {
    let place = SnowflakeWorkplace::new(ROTATE);
    place.cloud.refuse_logins(USER, refusal.code, refusal.message);
    let ran = Ran::of(place.rotate(["--verify-deadline", "6s"]));
    let ran = ran.expect(1).says(refusal.told).says(&[USER]);
    expect_no_other(refusal, &ran);
    assert!(!ran.stderr.contains("does not accept the key"), "{}", ran.stderr);
    let proofs = place.cloud.calls();
    let proofs = proofs
        .iter()
        .filter(|call| call.action == Some(Action::Login) && call.user.as_deref() == Some(USER));
    let proofs = proofs.count();
    assert_eq!(proofs > 1, refusal.heals, "{proofs} logins: {}", refusal.message);
    // The old key is where it was: it works again as soon as the user is let in.
    place.cloud.allow_logins(USER);
    assert!(place.consumer().works());
}
