//! One message of each kind, many times: what decoding, cutting, normalizing and packing cost.
//!
//! ```text
//! cargo bench --bench message
//! cargo bench --bench message -- OML-11
//! ```

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use model::feed::{Fallback, Feed, Neighbours};
use normalize::hl7::message::Message;
use normalize::ssmix::path::{FileName, parse};
use normalize::text::decode;
use normalize::{Context, Format, Item, normalize};
use samples::{Mix, Network};
use store::Packed;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The longest file of each data kind of an invented patient.
fn longest() -> BTreeMap<String, (FileName, Vec<u8>)> {
    let network = Network::generate(1, 1)
        .with_mix(Mix::Ordinary)
        .with_files(400);
    let mut longest: BTreeMap<String, (FileName, Vec<u8>)> = BTreeMap::new();
    for (entry, bytes) in network.patient(0).tree.files() {
        let Ok(name) = parse(&entry.version.path(entry.flag)) else {
            continue;
        };
        let best = longest
            .entry(name.kind.name().to_owned())
            .or_insert_with(|| (name.clone(), Vec::new()));
        if best.1.len() < bytes.len() {
            *best = (name, bytes.to_vec());
        }
    }
    longest
}

fn messages(criterion: &mut Criterion) {
    let feed = feed();
    let context = Context {
        feed: &feed,
        patient_from_order: false,
    };
    for (kind, (name, bytes)) in longest() {
        let mut group = criterion.benchmark_group(kind);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        let item = Item {
            format: Format::SsMix2(&name),
            bytes: &bytes,
        };
        let records = normalize(&item, &context).records;
        group.bench_function("decode", |bench| {
            bench.iter(|| decode(black_box(&bytes), "~ISO IR87", Fallback::Cp932));
        });
        group.bench_function("parse", |bench| {
            bench.iter(|| Message::parse(black_box(&bytes), Fallback::Cp932).is_ok());
        });
        group.bench_function("normalize", |bench| {
            bench.iter(|| normalize(black_box(&item), &context));
        });
        group.bench_function("pack", |bench| {
            bench.iter(|| Packed::new(&bytes, "", black_box(&records)).is_ok());
        });
        group.finish();
    }
}

/// The feed of the example network.
fn feed() -> Feed {
    let text = include_str!("../networks/example/feeds/demo-hospital.toml");
    let neighbours = Neighbours {
        facilities: None,
        feeds: &BTreeMap::new(),
    };
    let parsed = Feed::parse("demo-hospital.toml", text, [0; 32], neighbours);
    parsed
        .value
        .unwrap_or_else(|| unreachable!("the example network is good: {:?}", parsed.mistakes))
}

criterion_group!(benches, messages);
criterion_main!(benches);
