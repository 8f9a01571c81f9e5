//! The size of the programs.

use crate::Bench;
use crate::table::row;

/// Prints the size of each program as it was built.
pub(crate) fn measure(bench: &Bench) {
    let values: Vec<_> = bench
        .programs
        .iter()
        .map(|env| {
            let length = std::fs::metadata(&env.program).expect("the program").len();
            let megabytes = u32::try_from(length / 100_000).expect("a small number");
            format!("{:.1} MB", f64::from(megabytes) / 10.0)
        })
        .collect();
    row(
        "size of the program, with the demo",
        &values,
        "≤ 20 MB without the demo",
    );
    println!(
        "\nThe release build without the demo is not measured here:\n\
         time cargo build --release --no-default-features --target-dir target/clean"
    );
}
