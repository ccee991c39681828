//! The deliveries of a rotation, side by side: one that hangs or fails keeps no other consumer waiting for the new key.
//!
//! The journal has one order all the same, that of the destinations in it: first every intent, then the calls at once, then every
//! outcome. So no write is sent before the last look has come back: that costs what the slowest look takes longer than the others, and
//! the order of the journal would else be that of the answers. Destinations that are parts of one place come one after the other, because each reads what the one before has written.

use rotate_providers::secret::Secret;
use rotate_providers::trace::traced;

use super::effects::secret_of;
use super::in_time::outlasts;
use super::{DriveError, Driver, Refusal, RunState};
use crate::delivery::{self, Asked, DeliveryError, Destination, Fields, at_once};
use crate::engine::spans;
use crate::machine::Event;
use crate::seal::before;
use crate::store::Automated as Stored;

/// A destination, and what it held where that was not the new key.
type Looked = (Due, Option<Secret>);
type Destinations = Vec<Box<dyn Destination>>;
/// A look or a write.
type Call<'c, T> = Asked<'c, Result<T, DeliveryError>>;

/// A destination that is to be written to.
struct Due {
    destination: Box<dyn Destination>,
    /// Whether it held the new key before anybody wrote to it.
    holds: bool,
}

/// What failed first, in the order of the destinations. The others are told of where they fail.
#[derive(Default)]
struct Failures(Option<DriveError>);

impl Failures {
    fn add(&mut self, error: DriveError) {
        match &self.0 {
            None => self.0 = Some(error),
            Some(_) => tracing::warn!("{error}"),
        }
    }

    /// Of a destination: in a gap its first failure is none yet, for it is tried once more after the others.
    fn take(&mut self, error: DeliveryError, stored: &Stored, run: &mut RunState) {
        if !run.leaves(stored, &error.destination, &error) {
            self.add(error.into());
        }
    }
}

impl Driver<'_> {
    /// Delivers to each of these. What failed is told once every other one has been tried.
    pub(super) async fn deliver(
        &self,
        stored: &mut Stored,
        run: &mut RunState,
        names: &[String],
    ) -> Result<(), DriveError> {
        let form = secret_of(&stored.rotation)?;
        let fields = self.fields(stored).await?;
        let mut failures = Failures::default();
        let mut left = Vec::new();
        for name in names {
            match delivery::parse(form, name) {
                Ok(destination) => match self.outlasts(stored, &*destination) {
                    Some(refusal) => failures.add(DriveError::Refused(refusal)),
                    None => left.push(destination),
                },
                Err(error) => failures.add(error.into()),
            }
        }
        while !left.is_empty() {
            let (now, later) = one_of_each_place(left);
            self.deliver_at_once(stored, run, now, &fields, &mut failures).await?;
            left = later;
        }
        failures.0.map_or(Ok(()), Err)
    }

    /// Why a program gets nothing here, where its rotation was begun on one machine and has come to a journal that several share. In a
    /// gap its consumers come first.
    fn outlasts(&self, stored: &Stored, destination: &dyn Destination) -> Option<Refusal> {
        let why = outlasts(self.store, destination.name(), destination.time_limit()?)?;
        if stored.rotation.phase.is_in_gap() {
            tracing::warn!("{why}; it is started all the same, because its consumers are cut off");
            return None;
        }
        Some(
            Refusal::error(why)
                .with("nothing was delivered there; take the rotation back, and begin it with a shorter timeout:")
                .with(format!("rotate abort {}", stored.target)),
        )
    }

    /// Delivers to each of these, of which no two are parts of one place. Fails where the journal does.
    async fn deliver_at_once(
        &self,
        stored: &mut Stored,
        run: &mut RunState,
        destinations: Vec<Box<dyn Destination>>,
        fields: &Fields,
        failures: &mut Failures,
    ) -> Result<(), DriveError> {
        let names: Vec<&str> = destinations.iter().map(|destination| destination.name()).collect();
        self.progress.doing(&format!("delivering to {}", names.join(" and ")));
        let reading = destinations.into_iter().map(|destination| look(destination, fields));
        let reading: Vec<Call<'_, Looked>> = reading.map(|look| Box::pin(look) as Call<'_, Looked>).collect();
        let read: Vec<Result<Looked, DeliveryError>> = at_once(reading).await;
        let mut due = Vec::new();
        for read in read {
            let (one, held) = match read {
                Ok(read) => read,
                Err(error) => {
                    failures.take(error, stored, run);
                    continue;
                }
            };
            if let Some(held) = held {
                let destination = one.destination.name().to_owned();
                let sealed_as = before(&destination);
                let sealed = self.seal(stored, &sealed_as, &held).await?;
                let intent = Event::DeliverIntended { destination };
                self.record_sealed(stored, intent, Some((&sealed_as, &sealed))).await?;
            }
            due.push(one);
        }
        self.still_held().await?;
        let writing = due.iter().map(|due| write(due, fields));
        let writing: Vec<Call<'_, ()>> = writing.map(|write| Box::pin(write) as Call<'_, ()>).collect();
        let written: Vec<Result<(), DeliveryError>> = at_once(writing).await;
        for (due, written) in due.iter().zip(written) {
            match written {
                Ok(()) => {
                    let destination = due.destination.name().to_owned();
                    self.record(stored, Event::Delivered { destination }).await?;
                }
                Err(error) => failures.take(error, stored, run),
            }
        }
        Ok(())
    }
}

/// What it holds; where that is not the new key, all that will be needed to put it back.
async fn look(destination: Box<dyn Destination>, fields: &Fields) -> Result<Looked, DeliveryError> {
    let span = spans::at_destination("read destination", destination.name());
    let looking = async {
        let holds = destination.holds(fields).await?;
        let held = match holds {
            true => None,
            false => Some(destination.content().await?),
        };
        Ok((holds, held))
    };
    let (holds, held) = traced(span, looking, spans::class_of).await?;
    Ok((Due { destination, holds }, held))
}

async fn write(due: &Due, fields: &Fields) -> Result<(), DeliveryError> {
    if due.holds {
        return Ok(());
    }
    let span = spans::at_destination("deliver", due.destination.name());
    traced(span, due.destination.deliver(fields), spans::class_of).await
}

/// The first of each place, and the others.
fn one_of_each_place(all: Destinations) -> (Destinations, Destinations) {
    let (mut first, mut others): (Destinations, Destinations) = Default::default();
    for destination in all {
        let place = destination.part_of();
        match first.iter().any(|other| other.part_of() == place) {
            true => others.push(destination),
            false => first.push(destination),
        }
    }
    (first, others)
}
