//! Every kill and every pair of kills, each from the beginning to the end, with nothing skipped: what the walk's shortcuts are
//! held against. It takes long, and proves no more than two kills in a row.

use std::sync::Arc;

use crate::crash::system::{Move, System};

/// Longer than any way to an end.
const MOST_STEPS: usize = 40;

/// Runs every scenario of a flow; says how many.
pub(crate) fn all_pairs<S: System>(system: &mut S) -> usize {
    let first = system.first();
    let mut ran = 1;
    for (world, by, points) in to_the_end(system, first, false) {
        for kill in 1..=points {
            let killed = system.kill(&world, &by, kill).world;
            ran += 1;
            for (world, by, points) in to_the_end(system, killed, true) {
                for second in 1..=points {
                    let killed = system.kill(&world, &by, second).world;
                    to_the_end(system, killed, true);
                    ran += 1;
                }
            }
        }
    }
    ran
}

/// The commands that lead from a world to an end, with the world before each and the number of its crash points. A person who
/// undoes a rotation does so as soon as a kill was noticed.
fn to_the_end<S: System>(system: &mut S, from: Arc<S::World>, was_killed: bool) -> Vec<(Arc<S::World>, Move, usize)> {
    let mut way = Vec::new();
    let mut world = from;
    for _ in 0..MOST_STEPS {
        let next = system.next(&world);
        let by = if was_killed { next.last() } else { next.first() };
        let Some(by) = by.cloned() else {
            system.check_end(&world);
            return way;
        };
        let ran = system.run(&world, &by);
        way.push((world, by, ran.points.len()));
        world = ran.end;
    }
    panic!("{MOST_STEPS} commands do not lead to an end");
}
