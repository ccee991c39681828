//! What several destinations are asked for, side by side: none waits for the answer of another.

use std::pin::Pin;

use futures_util::{StreamExt, stream};

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

async fn numbered<T: Send>(at: usize, one: Asked<'_, T>) -> (usize, T) {
    let answer = one.await;
    (at, answer)
}
