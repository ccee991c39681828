//! The explorer itself, on systems that are small enough to know all about: what it must not miss.

use std::sync::Arc;

use crate::crash::system::{Killed, Move, Ran, System};
use crate::crash::walk::{Bounds, Figures, walk};

const BOUNDS: Bounds = Bounds {
    others: 0,
    worlds: 100,
    samples: 10,
    seed: 7,
};

/// A counter that a command moves on by one: one crash point before, and one after. It ends at three.
#[derive(Default)]
struct Counter {
    what: What,
    /// How often something ran.
    runs: usize,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum What {
    #[default]
    Sound,
    /// It counts for ever.
    Endless,
    /// At two it stays where it is.
    Stuck,
    /// What is left of a run that was killed depends on how often it ran.
    Fickle,
    /// What decides where it goes is left out of its print.
    Hiding,
}

/// The count; how often it was killed since; its print.
struct World(u32, u32, String);

impl Counter {
    fn world(&self, count: u32, kills: u32) -> Arc<World> {
        let print = match self.what {
            What::Hiding => format!("{count}"),
            _ => format!("{count} {}", kills.min(1)),
        };
        Arc::new(World(count, kills, print))
    }
}

impl System for Counter {
    type World = World;

    fn first(&mut self) -> Arc<World> {
        self.world(0, 0)
    }

    fn print<'w>(&self, world: &'w World) -> &'w str {
        &world.2
    }

    fn is_same(&self, one: &World, other: &World) -> bool {
        (one.0, one.1) == (other.0, other.1)
    }

    fn is_blocked(&self, _: &World) -> bool {
        false
    }

    fn next(&self, world: &World) -> Vec<Move> {
        if world.0 == 3 && self.what != What::Endless {
            return Vec::new();
        }
        vec![Move::command(&["count"])]
    }

    fn others(&self, _: &World) -> Vec<Move> {
        Vec::new()
    }

    fn run(&mut self, from: &World, _: &Move) -> Ran<World> {
        self.runs += 1;
        let next = match self.what {
            What::Stuck if from.0 == 2 => 2,
            // Whoever was killed here goes another way, of which the print says nothing.
            What::Hiding if from.1 > 0 => 3,
            _ => from.0 + 1,
        };
        Ran {
            points: vec![
                ("before".to_owned(), self.world(from.0, from.1 + 1)),
                ("after".to_owned(), self.world(next, 0)),
            ],
            end: self.world(next, 0),
            code: 0,
        }
    }

    fn kill(&mut self, from: &World, by: &Move, at: usize) -> Killed<World> {
        let world = match self.what {
            What::Fickle if self.runs > 1 => self.world(from.0 + 2, 0),
            _ => Arc::clone(&self.run(from, by).points[at - 1].1),
        };
        Killed {
            world,
            was_killed: true,
        }
    }

    fn check_end(&mut self, world: &World) {
        assert_eq!(world.0, 3);
    }
}

fn explore(what: What) -> Figures {
    walk(&mut Counter { what, runs: 0 }, BOUNDS)
}

#[test]
fn every_world_is_found_and_none_is_walked_twice() {
    let mut counter = Counter::default();
    let figures = walk(&mut counter, BOUNDS);
    // Killed or not killed at nought, one and two; and three.
    assert_eq!((figures.worlds, figures.ends), (7, 1));
    // From all but the end: two crash points and the end of the command.
    assert_eq!(figures.edges, 18);
    assert!(figures.merged > 0 && figures.sampled > 0, "{figures}");
}

#[test]
#[should_panic(expected = "still new ones: this never ends")]
fn a_flow_that_never_ends_is_told() {
    explore(What::Endless);
}

#[test]
#[should_panic(expected = "to an end; the first of them")]
fn a_world_without_an_exit_is_told() {
    explore(What::Stuck);
}

#[test]
#[should_panic(expected = "the same commands lead elsewhere the second time")]
fn a_fake_that_answers_differently_each_time_is_told() {
    explore(What::Fickle);
}

#[test]
#[should_panic(expected = "equal worlds behave differently (seed 7)")]
fn a_print_that_hides_a_difference_is_told() {
    explore(What::Hiding);
}
