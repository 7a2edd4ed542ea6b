//! Sounds and measures for tests.
#![allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]

use std::f64::consts::TAU;

pub(crate) fn sine(frequency: f64, rate: u32, samples: usize, amplitude: f64) -> Vec<i16> {
    (0..samples)
        .map(|at| (amplitude * (TAU * frequency * at as f64 / f64::from(rate)).sin()).round() as i16)
        .collect()
}

pub(crate) fn rms(samples: &[i16]) -> f64 {
    let sum: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    (sum / samples.len().max(1) as f64).sqrt()
}

/// How far what differs lies below what was meant, in decibels.
pub(crate) fn snr(meant: &[i16], got: &[i16]) -> f64 {
    assert_eq!(meant.len(), got.len());
    let noise: f64 = meant.iter().zip(got).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    let signal: f64 = meant.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    10.0 * (signal / noise.max(1e-9)).log10()
}

/// How far everything but this tone, at whatever phase, lies below it, in decibels.
pub(crate) fn purity(samples: &[i16], frequency: f64, rate: u32) -> f64 {
    let angle = |at: usize| TAU * frequency * at as f64 / f64::from(rate);
    let part = |wave: fn(f64) -> f64| -> f64 {
        let sum: f64 = samples.iter().enumerate().map(|(at, s)| f64::from(*s) * wave(angle(at))).sum();
        2.0 * sum / samples.len() as f64
    };
    let (sine, cosine) = (part(f64::sin), part(f64::cos));
    let rest: f64 = (samples.iter().enumerate())
        .map(|(at, s)| (f64::from(*s) - sine * angle(at).sin() - cosine * angle(at).cos()).powi(2))
        .sum();
    let tone = (sine.powi(2) + cosine.powi(2)) / 2.0 * samples.len() as f64;
    10.0 * (tone / rest.max(1e-9)).log10()
}
