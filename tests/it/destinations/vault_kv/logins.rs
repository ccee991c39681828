//! How the program logs in there.

use std::os::unix::fs::PermissionsExt;

use rotate_fixtures::AUTHORITY;
use rotate_fixtures::vault::{ROLE_ID, SECRET_ID, TOKEN};

use super::*;

impl Shop {
    /// A file that nobody else may read.
    fn file(&self, name: &str, content: &str, mode: u32) -> String {
        let path = self.place.path(name);
        std::fs::write(&path, content).expect("the folder is ours");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("the file is ours");
        path.display().to_string()
    }

    /// The one-shot, with nothing in its environment that leads to the store.
    fn without_environment(&self, options: &str) -> Command {
        let to = format!("{NAME}?address={}{options}", self.store.address());
        self.place.rotate_to(&[&to], [] as [&str; 0])
    }
}

#[test]
fn a_token_is_found_where_the_vault_command_finds_it_or_where_an_option_says() {
    let shop = Shop::new();
    let token = shop.file("token", &format!("{TOKEN}\n"), 0o600);
    Ran::of(shop.without_environment(&format!("&token_file={token}"))).expect(0);
    assert!(shop.works());
    let shop = Shop::new();
    let mut named = shop.without_environment("&token_env=TOKEN_OF_STORE");
    named.env("TOKEN_OF_STORE", TOKEN);
    Ran::of(named).expect(0);
    let shop = Shop::new();
    shop.file(".vault-token", TOKEN, 0o600);
    Ran::of(shop.without_environment("")).expect(0);
    let shop = Shop::new();
    let mut other = shop.place.rotate_to(&[NAME], [] as [&str; 0]);
    other.env("BAO_ADDR", shop.store.address()).env("BAO_TOKEN", TOKEN);
    Ran::of(other).expect(0);
    assert!(shop.works());
}

#[test]
fn files_are_found_in_the_home_folder_too() {
    let shop = Shop::new();
    shop.file("token", TOKEN, 0o600);
    let authority = std::fs::read_to_string(AUTHORITY).expect("it is in the repository");
    shop.file("authority.pem", &authority, 0o600);
    Ran::of(shop.without_environment("&ca_file=~/authority.pem&token_file=~/token")).expect(0);
    assert!(shop.works());
    Ran::of(Shop::new().without_environment("&ca_file=~/authority.pem"))
        .expect(1)
        .says(&["authority.pem is not there"]);
}

#[test]
fn what_the_vault_command_would_do_and_rotate_does_not_is_told_by_name() {
    let refused = |prepare: &dyn Fn(&Shop, &mut Command), words: &[&str]| {
        let shop = Shop::new();
        let mut command = shop.rotating(NAME, &[]);
        prepare(&shop, &mut command);
        Ran::of(command).expect(1).says(words);
        assert!(shop.store.calls().is_empty(), "{:?}", shop.store.calls());
        shop.place.expect_as_before();
    };
    for (name, words) in [
        ("VAULT_SKIP_VERIFY", "ca_file="),
        ("VAULT_AGENT_ADDR", "name the agent"),
        ("BAO_CLIENT_CERT", "a token, an AppRole"),
    ] {
        let told = name.replace("BAO", "VAULT");
        refused(
            &|_, command| {
                command.env(name, "x");
            },
            &[&told, "does not obey", words],
        );
    }
    refused(
        &|_, command| {
            command.env("BAO_ADDR", "http://127.0.0.1:1");
        },
        &["VAULT_ADDR and BAO_ADDR say different things"],
    );
    refused(
        &|_, command| {
            command.env("VAULT_ADDR", "http://store.example:8200");
        },
        &["no token is sent there"],
    );
    refused(
        &|shop, command| {
            shop.file(".vault", "token_helper = \"/bin/helper\"\n", 0o600);
            command.env_remove("VAULT_TOKEN");
        },
        &["names a token helper, and rotate starts none"],
    );
    refused(
        &|_, command| {
            command.env_remove("VAULT_TOKEN");
        },
        &["there is no token", "vault login"],
    );
    refused(
        &|shop, command| {
            shop.file(".vault-token", TOKEN, 0o644);
            command.env_remove("VAULT_TOKEN");
        },
        &["other users may read or write it"],
    );
}

#[test]
fn an_app_role_and_a_service_account_log_in_with_what_a_file_holds() {
    for (options, file) in [
        (format!("&role_id={ROLE_ID}&secret_id_file="), "secret-id"),
        (format!("&kubernetes_role={ROLE_ID}&account_token_file="), "account"),
    ] {
        let shop = Shop::new();
        let file = shop.file(file, SECRET_ID, 0o600);
        shop.store.allow_logins(20);
        let ran = Ran::of(shop.without_environment(&format!("{options}{file}"))).expect(0);
        assert!(shop.works());
        assert!(!ran.stderr.contains("CANARY") && !ran.stdout.contains("CANARY"));
        // One that is used up is told, and asked for once.
        let shop = Shop::new();
        let file = shop.file("again", SECRET_ID, 0o600);
        let ran = Ran::of(shop.without_environment(&format!("{options}{file}"))).expect(1);
        let ran = ran.says(&["/login of", "is refused", "has expired"]);
        assert!(!ran.stderr.contains("CANARY"));
        shop.place.expect_as_before();
    }
}

#[test]
fn a_login_whose_answer_is_lost_is_not_made_again() {
    let shop = Shop::new();
    let file = shop.file("secret-id", SECRET_ID, 0o600);
    shop.store.allow_logins(20);
    shop.store.lose_answer("POST auth/approle/login");
    let options = format!("&role_id={ROLE_ID}&secret_id_file={file}");
    // The same call once more would have been answered.
    Ran::of(shop.without_environment(&options)).expect(1);
    shop.place.expect_as_before();
    Ran::of(shop.without_environment(&options)).expect(0);
    assert!(shop.works());
}
