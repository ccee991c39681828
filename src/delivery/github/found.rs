//! What is at GitHub now: whose place it is, which secrets are there, and who may use them. Reads only.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::GitHub;
use super::address::{Place, part};
use super::faults::{denied, unfit, unreadable};
use super::sealed::BoxKey;
use super::wire::{Reply, Wire};
use crate::delivery::Fault;
use crate::delivery::fault::Answer;

/// An organization's secret is for no more repositories than that.
const MOST_PAGES: usize = 100;
const PAGE: usize = 100;

/// The place, by its numbers.
pub(super) struct Found {
    /// The path of its secrets.
    pub(super) secrets: String,
    pub(super) numbers: Numbers,
    /// When that was so, by GitHub's clock.
    pub(super) at: Option<Timestamp>,
}

/// The numbers that GitHub gives once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    /// Of the repository.
    pub(super) repository: Option<u64>,
    /// Of the repository's owner, or the organization.
    pub(super) owner: Option<u64>,
    pub(super) environment: Option<u64>,
}

/// A secret, of which GitHub shows everything but the value.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Shown {
    pub(super) updated_at: Timestamp,
    #[serde(default)]
    visibility: Option<String>,
}

/// Which repositories may use a secret of an organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Audience {
    pub(super) visibility: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) repositories: Option<BTreeSet<u64>>,
}

#[derive(Deserialize)]
struct Repository {
    id: u64,
    full_name: String,
    owner: Owner,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    disabled: bool,
}

#[derive(Deserialize)]
struct Owner {
    id: u64,
    login: String,
}

#[derive(Deserialize)]
struct Environment {
    id: u64,
}

#[derive(Deserialize)]
struct Page {
    total_count: usize,
    repositories: Vec<Numbered>,
}

#[derive(Deserialize)]
struct Numbered {
    id: u64,
}

impl GitHub {
    /// Where the secrets are, as the numbers have it that a rotation was opened with, else as the name has it.
    pub(super) async fn find(&self, wire: &Wire) -> Result<Found, Fault> {
        let found = match &self.place {
            Place::Repository {
                owner,
                name,
                environment,
            } => {
                let path = match self.pins.numbers.repository {
                    Some(number) => format!("/repositories/{number}"),
                    None => format!("/repos/{owner}/{name}"),
                };
                self.find_repository(wire, &path, environment.as_deref()).await?
            }
            Place::Organization(name) => {
                let path = match self.pins.numbers.owner {
                    Some(number) => format!("/organizations/{number}"),
                    None => format!("/orgs/{name}"),
                };
                let reply = wire.get(&path).await?;
                let owner: Owner = self
                    .expected(wire, "read the organization", &reply)?
                    .read("the organization")?;
                if !is_login(&owner.login) {
                    return Err(unreadable("the organization"));
                }
                Found {
                    secrets: format!("/orgs/{}/{}/secrets", owner.login, self.app.name()),
                    numbers: Numbers {
                        owner: Some(owner.id),
                        ..Numbers::default()
                    },
                    at: reply.date(),
                }
            }
        };
        self.check_numbers(&found.numbers)?;
        Ok(found)
    }

    async fn find_repository(&self, wire: &Wire, path: &str, environment: Option<&str>) -> Result<Found, Fault> {
        let reply = wire.get(path).await?;
        if matches!(reply.status, 301 | 302 | 307 | 308) {
            return Err(self.renamed(wire, &reply).await);
        }
        if reply.status == 404 && self.pins.numbers.repository.is_some() {
            return Err(unfit(
                "the repository that the rotation was opened for is gone, or the token may not see it any more"
                    .to_owned(),
                "whatever has its name now is another one, and gets nothing: abort, and begin anew",
            ));
        }
        let repository: Repository = self
            .expected(wire, "read the repository", &reply)?
            .read("the repository")?;
        if repository.archived || repository.disabled {
            return Err(unfit(
                "the repository is archived or disabled, and takes no secret".to_owned(),
                "unarchive it, or deliver elsewhere",
            ));
        }
        // By its number, which nobody else gets, however its name changes meanwhile. It is where GitHub itself leads those who use a
        // name of yesterday.
        let home = format!("/repositories/{}", repository.id);
        let mut numbers = Numbers {
            repository: Some(repository.id),
            owner: Some(repository.owner.id),
            environment: None,
        };
        let secrets = match environment {
            None => format!("{home}/{}/secrets", self.app.name()),
            Some(name) => {
                let home = format!("{home}/environments/{}", part(name));
                let reply = wire.get(&home).await?;
                if reply.status == 404 {
                    return Err(self.no_environment(name, &wire.token.from));
                }
                let environment: Environment = self
                    .expected(wire, "read the environment", &reply)?
                    .read("the environment")?;
                numbers.environment = Some(environment.id);
                format!("{home}/secrets")
            }
        };
        Ok(Found {
            secrets,
            numbers,
            at: reply.date(),
        })
    }

    /// Its name of today, where GitHub tells it: the old one is free for anybody to take.
    async fn renamed(&self, wire: &Wire, reply: &Reply) -> Fault {
        let path = reply.location().and_then(|address| self.api.path_of(address));
        let number = path.and_then(|path| path.strip_prefix("/repositories/")?.parse::<u64>().ok());
        let mut now = None;
        if let Some(number) = number
            && let Ok(reply) = wire.get(&format!("/repositories/{number}")).await
            && reply.status == 200
        {
            let repository = reply.read::<Repository>("the repository").ok();
            let name = repository.map(|repository| repository.full_name);
            now = name.filter(|name| Place::repository(name).is_ok());
        }
        match now {
            Some(name) => unfit(
                format!("the repository was renamed, and is {name} now"),
                &format!("write github:{name}: anybody may take its old name"),
            ),
            None => unfit(
                "the repository has another name now".to_owned(),
                "write its name of today: anybody may take the old one",
            ),
        }
    }

    fn no_environment(&self, name: &str, from: &str) -> Fault {
        Fault::Store {
            kind: Answer::Missing,
            what: format!("the repository has no environment {name}, or the token from {from} may not see it (404)"),
            remedy: "create it first (Settings, Environments; a private repository has them in paid plans alone), and give the \
                     token the repository permissions Environments: Read and write, and Actions: Read-only"
                .to_owned(),
        }
    }

    /// Nothing is sent to a place that is another one than the rotation was opened for.
    fn check_numbers(&self, now: &Numbers) -> Result<(), Fault> {
        let then = &self.pins.numbers;
        let differs = |then: Option<u64>, now: Option<u64>| then.is_some() && then != now;
        let what = if differs(then.repository, now.repository) {
            "it is another repository"
        } else if differs(then.owner, now.owner) {
            "it belongs to another owner"
        } else if differs(then.environment, now.environment) {
            "its environment was made anew: it is another one"
        } else {
            return Ok(());
        };
        Err(unfit(
            format!("{what} now than when the rotation was opened, and gets nothing"),
            "find out who has done that; then abort, and begin anew",
        ))
    }

    /// What a delivery encrypts for. Whoever may read that may see the names of secrets.
    pub(super) async fn box_key(&self, wire: &Wire, found: &Found) -> Result<BoxKey, Fault> {
        let reply = wire.get(&format!("{}/public-key", found.secrets)).await?;
        self.expected(wire, "read the public key of its secrets", &reply)?
            .read("the public key of its secrets")
    }

    /// A secret as it is now; `None` where there is none of that name.
    pub(super) async fn shown(&self, wire: &Wire, found: &Found, name: &str) -> Result<Option<Shown>, Fault> {
        let reply = wire.get(&format!("{}/{name}", found.secrets)).await?;
        match reply.status {
            404 => Ok(None),
            _ => Ok(Some(
                self.expected(wire, "look at the secret", &reply)?.read("the secret")?,
            )),
        }
    }

    /// Who may use a secret; `None` where that is not a question. A write has to say it again, or takes it away from them.
    pub(super) async fn audience(&self, wire: &Wire, found: &Found, name: &str) -> Result<Option<Audience>, Fault> {
        let Place::Organization(organization) = &self.place else {
            return Ok(None);
        };
        let Some(shown) = self.shown(wire, found, name).await? else {
            return Err(Fault::Store {
                kind: Answer::Missing,
                what: format!(
                    "the organization has no secret {name}, and which repositories one is for is for a person to say"
                ),
                remedy: format!(
                    "create it first: gh secret set {name} --org {organization} --app {} --visibility selected --repos NAME,NAME",
                    self.app.name()
                ),
            });
        };
        let visibility = shown.visibility.ok_or_else(|| unreadable("the secret"))?;
        let repositories = match visibility.as_str() {
            "all" | "private" => None,
            "selected" => Some(self.selected(wire, found, name).await?),
            _ => return Err(unreadable("who may use the secret")),
        };
        Ok(Some(Audience {
            visibility,
            repositories,
        }))
    }

    /// All of them: whoever is left out would have it no more. Whether GitHub counts what a restricted token is not shown it does not
    /// say, so the count is a guard beside the access to all repositories that is asked for, and does not stand for it.
    async fn selected(&self, wire: &Wire, found: &Found, name: &str) -> Result<BTreeSet<u64>, Fault> {
        let mut all = BTreeSet::new();
        for number in 1..=MOST_PAGES {
            let path = format!("{}/{name}/repositories?per_page={PAGE}&page={number}", found.secrets);
            let reply = wire.get(&path).await?;
            let page: Page = self
                .expected(wire, "list the repositories of the secret", &reply)?
                .read("the repositories of the secret")?;
            let is_last = page.repositories.len() < PAGE;
            all.extend(page.repositories.iter().map(|repository| repository.id));
            if is_last {
                return match all.len() == page.total_count {
                    true => Ok(all),
                    false => Err(unfit(
                        format!(
                            "GitHub lists {} of the {} repositories that {name} is for",
                            all.len(),
                            page.total_count
                        ),
                        "nothing was sent, because the others would lose it; give the token access to all of them",
                    )),
                };
            }
        }
        Err(unfit(
            format!("{name} is for more than {} repositories", MOST_PAGES * PAGE),
            "deliver elsewhere",
        ))
    }

    /// The reply of a call that has to succeed.
    pub(super) fn expected<'a>(&self, wire: &Wire, call: &str, reply: &'a Reply) -> Result<&'a Reply, Fault> {
        match reply.status {
            200 => self.check_scopes(wire, reply).map(|()| reply),
            _ => Err(self.refused(call, &wire.token, reply)),
        }
    }

    /// A classic token says with each answer what it may do.
    fn check_scopes(&self, wire: &Wire, reply: &Reply) -> Result<(), Fault> {
        let Some(scopes) = reply.header("x-oauth-scopes").filter(|_| wire.token.is_classic) else {
            return Ok(());
        };
        let needed = match &self.place {
            Place::Repository { .. } => "repo",
            Place::Organization(_) => "admin:org",
        };
        match scopes.split(',').any(|scope| scope.trim() == needed) {
            true => Ok(()),
            false => Err(denied(
                format!("the token from {} has not the scope {needed}", wire.token.from),
                format!(
                    "give it that scope, or take a fine-grained token with {}",
                    self.fine_grained()
                ),
            )),
        }
    }
}

fn is_login(text: &str) -> bool {
    Place::organization(text).is_ok()
}
