//! The explorer: from each world it runs every command, killed at every crash point, until no new world appears.
//!
//! A world that equals a known one is not walked again, so what is proven is any number of kills in a row, in any order. Where
//! a run passes a crash point it is stopped, and what a kill would leave there is looked at; a world that was not known is then
//! made once more by a real kill, has to come out the same, and is walked on from. That equal worlds behave alike is checked
//! and not assumed: a sample of those that were merged is run to the end from both.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::crash::system::{Move, Ran, System};

/// How far a walk goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How many commands that do not belong to the flow may come in a row of commands.
    pub(crate) others: usize,
    /// More worlds than any walk has that ends.
    pub(crate) worlds: usize,
    /// How many pairs of merged worlds are run to their end.
    pub(crate) samples: usize,
    /// What chooses them.
    pub(crate) seed: u64,
}

/// How a walk went.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    /// Different worlds.
    pub(crate) worlds: usize,
    /// Commands that ended, or could have been killed, with what that led to.
    pub(crate) edges: usize,
    /// Edges to a world that was known, in other bytes.
    pub(crate) merged: usize,
    /// Processes that were killed for real.
    pub(crate) kills: usize,
    /// Pairs of merged worlds that were run to their end.
    pub(crate) sampled: usize,
    /// What chose them.
    pub(crate) seed: u64,
    /// Worlds in which nothing comes next.
    pub(crate) ends: usize,
    /// Worlds in which a person has to look.
    pub(crate) blocked: usize,
    pub(crate) time: Duration,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} worlds, {} of them ends and {} blocked, {} edges, {} merged, {} killed for real, {} sampled (seed {}), {:.0} s",
            self.worlds,
            self.ends,
            self.blocked,
            self.edges,
            self.merged,
            self.kills,
            self.sampled,
            self.seed,
            self.time.as_secs_f64()
        )
    }
}

impl std::ops::AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.worlds += other.worlds;
        self.ends += other.ends;
        self.blocked += other.blocked;
        self.edges += other.edges;
        self.merged += other.merged;
        self.kills += other.kills;
        self.sampled += other.sampled;
        self.time += other.time;
    }
}

/// Longer than any way to an end.
const MOST_STEPS: usize = 40;

/// Walks until no new world appears.
pub(crate) fn walk<S: System>(system: &mut S, bounds: Bounds) -> Figures {
    let started = Instant::now();
    let mut walk = Walk {
        bounds,
        dice: fastrand::Rng::with_seed(bounds.seed),
        known: HashMap::new(),
        nodes: Vec::new(),
        waiting: VecDeque::new(),
        pairs: Vec::new(),
        figures: Figures::default(),
    };
    let first = system.first();
    walk.add(system, first, None, 0);
    while let Some(at) = walk.waiting.pop_front() {
        walk.leave(system, at);
    }
    walk.expect_ways_out();
    walk.sample(system);
    Figures {
        worlds: walk.nodes.len(),
        seed: bounds.seed,
        blocked: walk.nodes.iter().filter(|node| system.is_blocked(&node.world)).count(),
        ends: walk.nodes.iter().filter(|node| node.is_end).count(),
        time: started.elapsed(),
        ..walk.figures
    }
}

/// So many ways through a flow whose commands do many things at once, each killed a few times somewhere, and then led to its end.
/// Such a flow has more worlds than can be walked.
pub(crate) fn wander<S: System>(system: &mut S, ways: usize, points: usize, seed: u64) -> Figures {
    const MOST_KILLS: usize = 3;
    let started = Instant::now();
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut figures = Figures {
        seed,
        ..Figures::default()
    };
    let first = system.first();
    for _ in 0..ways {
        let mut world = Arc::clone(&first);
        let mut way = Vec::new();
        let mut left = dice.usize(1..=MOST_KILLS);
        for step in 0.. {
            assert!(
                step < MOST_STEPS,
                "{MOST_STEPS} commands do not lead to an end (seed {seed}): {way:?}"
            );
            let Some(by) = dice.choice(system.next(&world)) else {
                break;
            };
            let at = if left > 0 { dice.usize(1..=points) } else { usize::MAX };
            left = left.saturating_sub(1);
            way.push(format!("{by}, killed at point {at}"));
            let killed = system.kill(&world, &by, at);
            figures.edges += 1;
            figures.kills += usize::from(killed.was_killed);
            world = killed.world;
        }
        system.check_end(&world);
        figures.ends += 1;
    }
    figures.time = started.elapsed();
    figures
}

/// So many ways through a flow, each stopped a few times for good somewhere, with one thing that does not belong to it somewhere on the
/// way. Who has to look where that was done may look for long: such ways are many and need not end, and what holds at every
/// moment is what counts.
pub(crate) fn meddle<S: System>(system: &mut S, ways: usize, points: usize, seed: u64) -> Figures {
    const MOST_KILLS: usize = 2;
    /// Longer than the way to the end where nobody meddles.
    const MOST: usize = 14;
    let started = Instant::now();
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut figures = Figures {
        seed,
        ..Figures::default()
    };
    let first = system.first();
    for _ in 0..ways {
        let mut world = Arc::clone(&first);
        let mut left = dice.usize(0..=MOST_KILLS);
        let meddled = dice.usize(0..7);
        for step in 0..MOST {
            let next = system.next(&world);
            if next.is_empty() {
                system.check_end(&world);
                figures.ends += 1;
                break;
            }
            let other = dice.choice(system.others(&world)).filter(|_| step == meddled);
            let Some(by) = other.or_else(|| dice.choice(next)) else {
                break;
            };
            // What a kill would leave is what the run has left where it was stopped.
            let ran = system.run(&world, &by);
            figures.edges += ran.points.len() + 1;
            let killed = ran.points.get(dice.usize(0..=points)).filter(|_| left > 0);
            left -= usize::from(killed.is_some());
            world = killed.map_or(ran.end, |(_, world)| Arc::clone(world));
        }
    }
    assert!(figures.ends > ways / 4, "hardly any way ended: {figures} (seed {seed})");
    figures.time = started.elapsed();
    figures
}

struct Walk<W> {
    bounds: Bounds,
    dice: fastrand::Rng,
    known: HashMap<String, usize>,
    nodes: Vec<Node<W>>,
    /// Worlds to walk on from. Those with fewer commands of others come first.
    waiting: VecDeque<usize>,
    /// A known world, and another that is alike.
    pairs: Vec<(usize, Arc<W>)>,
    figures: Figures,
}

struct Node<W> {
    world: Arc<W>,
    /// How many commands that do not belong to the flow have led here, at least.
    others: usize,
    is_left: bool,
    is_end: bool,
    /// The world before, and what led from there to here.
    came: Option<(usize, String)>,
    leads_to: Vec<usize>,
}

impl<W> Walk<W> {
    /// Runs all that may be run from a world.
    fn leave<S: System<World = W>>(&mut self, system: &mut S, at: usize) {
        if std::mem::replace(&mut self.nodes[at].is_left, true) {
            return;
        }
        let (world, others) = (Arc::clone(&self.nodes[at].world), self.nodes[at].others);
        let next = system.next(&world);
        if next.is_empty() {
            self.nodes[at].is_end = true;
            system.check_end(&world);
        }
        let is_end = next.is_empty();
        let mut moves: Vec<(Move, usize)> = next.into_iter().map(|next| (next, 0)).collect();
        if others < self.bounds.others {
            let also = system.others(&world).into_iter();
            let also = also.filter(|other| moves.iter().all(|(next, _)| next != other));
            let also: Vec<_> = also.map(|other| (other, 1)).collect();
            moves.extend(also);
        }
        for (by, cost) in moves {
            let ran = system.run(&world, &by);
            self.figures.edges += ran.points.len() + 1;
            // Beyond an end another rotation begins, which is another walk.
            if is_end {
                continue;
            }
            self.take(system, at, &by, ran, others + cost);
        }
    }

    fn take<S: System<World = W>>(&mut self, system: &mut S, from: usize, by: &Move, ran: Ran<W>, others: usize) {
        for (index, (name, world)) in ran.points.into_iter().enumerate() {
            let how = || format!("{by}, killed at point {} ({name})", index + 1);
            if self.known.contains_key(system.print(&world)) {
                self.meet(system, from, &world, how, others);
                continue;
            }
            let before = Arc::clone(&self.nodes[from].world);
            let killed = system.kill(&before, by, index + 1);
            assert!(
                killed.was_killed,
                "the same command does not come as far the second time: {}",
                how()
            );
            let killed = killed.world;
            self.figures.kills += 1;
            let (seen, left) = (system.print(&world), system.print(&killed));
            assert!(
                seen == left,
                "the same commands lead elsewhere the second time: {}\nthen {}\n{}",
                self.way_to(from),
                how(),
                difference(seen, left)
            );
            self.add(system, killed, Some((from, how())), others);
        }
        let how = || format!("{by} (exit {})", ran.code);
        if self.known.contains_key(system.print(&ran.end)) {
            self.meet(system, from, &ran.end, how, others);
        } else {
            self.add(system, ran.end, Some((from, how())), others);
        }
    }

    fn add<S: System<World = W>>(&mut self, system: &S, world: Arc<W>, came: Option<(usize, String)>, others: usize) {
        let at = self.nodes.len();
        self.known.insert(system.print(&world).to_owned(), at);
        if let Some((from, _)) = came {
            self.nodes[from].leads_to.push(at);
        }
        self.nodes.push(Node {
            world,
            others,
            is_left: false,
            is_end: false,
            came,
            leads_to: Vec::new(),
        });
        assert!(
            at < self.bounds.worlds,
            "{at} worlds, and still new ones: this never ends; the last one: {}\n{}",
            self.way_to(at),
            system.print(&self.nodes[at].world)
        );
        self.wait(at);
    }

    /// An edge to a world that is known.
    fn meet<S: System<World = W>>(
        &mut self,
        system: &S,
        from: usize,
        world: &Arc<W>,
        how: impl Fn() -> String,
        others: usize,
    ) {
        let at = self.known[system.print(world)];
        self.nodes[from].leads_to.push(at);
        // By a shorter way more may be run from here.
        if others < self.nodes[at].others {
            self.nodes[at].others = others;
            self.nodes[at].is_left = false;
            self.nodes[at].came = Some((from, how()));
            self.wait(at);
        }
        if system.is_same(&self.nodes[at].world, world) {
            return;
        }
        self.figures.merged += 1;
        // Each of those that were merged is as likely to be looked at as any other.
        if self.pairs.len() < self.bounds.samples {
            self.pairs.push((at, Arc::clone(world)));
        } else {
            let place = self.dice.usize(0..self.figures.merged);
            if let Some(pair) = self.pairs.get_mut(place) {
                *pair = (at, Arc::clone(world));
            }
        }
    }

    fn wait(&mut self, at: usize) {
        let others = self.nodes[at].others;
        let behind = |&waiting: &usize| self.nodes[waiting].others <= others;
        let place = self.waiting.iter().rposition(behind).map_or(0, |place| place + 1);
        self.waiting.insert(place, at);
    }

    /// From every world some command leads on to an end; else whoever is called at night can do nothing.
    fn expect_ways_out(&self) {
        let mut comes_from = vec![Vec::new(); self.nodes.len()];
        for (from, node) in self.nodes.iter().enumerate() {
            for &to in &node.leads_to {
                comes_from[to].push(from);
            }
        }
        let mut ends: Vec<usize> = (0..self.nodes.len()).filter(|&at| self.nodes[at].is_end).collect();
        let mut leads_out = vec![false; self.nodes.len()];
        while let Some(at) = ends.pop() {
            if !std::mem::replace(&mut leads_out[at], true) {
                ends.extend(&comes_from[at]);
            }
        }
        let stuck: Vec<usize> = (0..self.nodes.len()).filter(|&at| !leads_out[at]).collect();
        if let Some(&at) = stuck.first() {
            panic!(
                "no command leads from {} worlds to an end; the first of them: {}",
                stuck.len(),
                self.way_to(at)
            );
        }
    }

    /// Runs both worlds of each pair to the end: whatever happens to the one has to happen to the other.
    fn sample<S: System<World = W>>(&mut self, system: &mut S) {
        for (at, other) in std::mem::take(&mut self.pairs) {
            self.figures.sampled += 1;
            let known = Arc::clone(&self.nodes[at].world);
            if let Err(said) = self.alike(system, known, other) {
                panic!(
                    "equal worlds behave differently (seed {}): {}\n{said}",
                    self.bounds.seed,
                    self.way_to(at)
                );
            }
        }
    }

    fn alike<S: System<World = W>>(
        &mut self,
        system: &mut S,
        mut one: Arc<W>,
        mut other: Arc<W>,
    ) -> Result<(), String> {
        let mut told = Vec::new();
        for step in 0..MOST_STEPS {
            let mut moves = system.next(&one);
            if moves.is_empty() {
                return Ok(());
            }
            if step == 0 && self.bounds.others > 0 {
                moves.extend(system.others(&one));
            }
            let by = &moves[self.dice.usize(0..moves.len())];
            told.push(by.to_string());
            let (first, second) = (system.run(&one, by), system.run(&other, by));
            let told = told.join(", then ");
            if first.code != second.code {
                return Err(format!("{told}: exit {} and exit {}", first.code, second.code));
            }
            for (a, b) in first.points.iter().zip(&second.points) {
                let (seen, met) = (system.print(&a.1), system.print(&b.1));
                if a.0 != b.0 || seen != met {
                    return Err(format!("{told}: at {} and {}\n{}", a.0, b.0, difference(seen, met)));
                }
            }
            let (seen, met) = (system.print(&first.end), system.print(&second.end));
            if first.points.len() != second.points.len() || seen != met {
                return Err(format!("{told}\n{}", difference(seen, met)));
            }
            (one, other) = (first.end, second.end);
        }
        // Chance may lead in circles where a person has a choice. Whether there is a way out is looked at in the graph.
        Ok(())
    }

    /// The commands and kills that led to a world.
    fn way_to(&self, at: usize) -> String {
        let mut way = Vec::new();
        let mut at = at;
        while let Some((before, how)) = &self.nodes[at].came {
            way.push(how.as_str());
            at = *before;
            if way.len() > self.nodes.len() {
                break;
            }
        }
        way.push("the beginning");
        way.reverse();
        way.join("\n  ")
    }
}

/// The lines that only one of two prints has.
pub(crate) fn difference(one: &str, other: &str) -> String {
    let only = |a: &str, b: &str, sign: char| {
        let there: std::collections::HashSet<&str> = b.lines().collect();
        let lines = a.lines().filter(|line| !there.contains(line));
        lines.map(|line| format!("{sign} {line}\n")).collect::<String>()
    };
    only(one, other, '-') + &only(other, one, '+')
}
