//! One store lives through many `kill -9` at random moments, while its hospital's storage grows and
//! its senders push: what was acknowledged is there, nothing is doubled, and all of it reads as at a
//! hub that nobody ever killed.
//!
//! `MUSUBI_TEST_SEED` repeats the plan of a run that failed; moments are as exact as the machine is.

mod laboratory;
mod world;

use std::time::{Duration, SystemTime};

use samples::random::Random;

use crate::support::Kind;
use world::World;

/// A process is killed at the latest so long after it began to work.
const LONGEST_LIFE: u64 = 450;
/// One that starts is killed at the latest so long after its birth.
const LONGEST_BIRTH: u64 = 350;
/// So often the whole is compared.
const COMPARED_EVERY: u32 = 25;

#[test]
fn a_store_on_sqlite_lives_through_120_crashes() {
    live_through(Kind::Sqlite, 120);
}

#[test]
fn a_store_on_postgresql_lives_through_80_crashes() {
    live_through(Kind::Postgres, 80);
}

fn live_through(kind: Kind, crashes: u32) {
    let seed = seed();
    let mut random = Random::new(seed, u64::from(crashes));
    let mut world = World::new(kind, seed);
    for crash in 1..=crashes {
        world.crash = crash;
        world.plan(&mut random);
        if random.chance(20) {
            let mut child = world.hub.start(&["serve", "--roles", "serve,ingest"]);
            moment(&mut random, LONGEST_BIRTH);
            child.kill().unwrap();
            child.wait().unwrap();
        } else {
            let running = world.hub.serve("serve,ingest");
            world.look(&running);
            let life = || moment(&mut random, LONGEST_LIFE);
            world.work_until_killed(running, life);
        }
        let compares = crash % COMPARED_EVERY == 0 || crash == crashes;
        // Where processes share a database the next one waits until the dead one's leases run out.
        // It does so before each comparison; otherwise somebody gives them back.
        if !compares {
            world.give_leases_back();
        } else {
            world.compare();
        }
    }
    world.end();
}

/// Waits for nothing: this is the random moment of a crash.
fn moment(random: &mut Random, longest: u64) {
    std::thread::sleep(Duration::from_micros(random.below(longest * 1000)));
}

#[expect(
    clippy::disallowed_methods,
    reason = "whoever repeats a run says which one"
)]
fn seed() -> u64 {
    let told = std::env::var("MUSUBI_TEST_SEED").ok();
    told.map_or_else(
        || {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            u64::from(now.unwrap().subsec_micros())
        },
        |seed| seed.parse().unwrap(),
    )
}
