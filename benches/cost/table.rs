//! The table that is printed, in Markdown.

use std::time::Duration;

/// Prints the head of a table with so many programs.
pub(crate) fn header(programs: usize) {
    let columns = if programs == 2 {
        "before | after"
    } else {
        "measured"
    };
    println!("| figure | {columns} | goal |");
    println!("|---|{}---|", "---|".repeat(programs));
}

/// Prints a row: a figure of each program, and the goal.
pub(crate) fn row(figure: &str, measured: &[String], goal: &str) {
    println!("| {figure} | {} | {goal} |", measured.join(" | "));
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

pub(crate) fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
