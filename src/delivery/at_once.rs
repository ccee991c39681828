//! What several destinations are asked for, side by side: none waits for the answer of another.

use std::pin::Pin;

use futures_util::{StreamExt, stream};

use super::Destination;

/// How many are asked at once.
const AT_ONCE: usize = 8;

/// What one of them is asked for.
pub type Asked<'c, T> = Pin<Box<dyn Future<Output = T> + Send + 'c>>;

/// The same, and which one of several it is.
type Numbered<'c, T> = Pin<Box<dyn Future<Output = (usize, T)> + Send + 'c>>;

/// The answer of each, in their order. One that has ended makes room for the next, whichever it was.
pub async fn at_once<'c, T: Send + 'c>(asked: Vec<Asked<'c, T>>) -> Vec<T> {
    let asked = asked.into_iter().enumerate();
    let asked: Vec<Numbered<'c, T>> = asked
        .map(|(at, one)| Box::pin(numbered(at, one)) as Numbered<'c, T>)
        .collect();
    let mut answers: Vec<(usize, T)> = stream::iter(asked).buffer_unordered(AT_ONCE).collect().await;
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// The same, of these destinations. Those that are parts of one place are asked one after the other: what one has locked, the next would
/// find locked.
pub async fn at_once_of_each_place<'c, T: Send + 'c>(
    destinations: &[Box<dyn Destination>],
    asked: Vec<Asked<'c, T>>,
) -> Vec<T> {
    let mut places: Vec<(String, Vec<Numbered<'c, T>>)> = Vec::new();
    for (at, (destination, one)) in destinations.iter().zip(asked).enumerate() {
        let one = Box::pin(numbered(at, one)) as Numbered<'c, T>;
        let place = destination.part_of();
        match places.iter_mut().find(|(other, _)| *other == place) {
            Some((_, asked)) => asked.push(one),
            None => places.push((place, vec![one])),
        }
    }
    let turns = places
        .into_iter()
        .map(|(_, asked)| Box::pin(in_turn(asked)) as Asked<'c, Vec<(usize, T)>>);
    let mut answers: Vec<(usize, T)> = at_once(turns.collect()).await.into_iter().flatten().collect();
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

async fn in_turn<T: Send>(asked: Vec<Numbered<'_, T>>) -> Vec<(usize, T)> {
    let mut answers = Vec::with_capacity(asked.len());
    for one in asked {
        answers.push(one.await);
    }
    answers
}

async fn numbered<T: Send>(at: usize, one: Asked<'_, T>) -> (usize, T) {
    let answer = one.await;
    (at, answer)
}
