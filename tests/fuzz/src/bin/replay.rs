//! A capture file, from its first byte to rows: no panic, and no event that the pipeline cannot read.

#![no_main]

use std::{io::Cursor, ops::ControlFlow, sync::Arc};

use libfuzzer_sys::fuzz_target;
use monitor::{
    account::Account,
    correlate::{Correlator, Families},
    decide::PolicyBuilder,
    pipeline::{Output, Pipeline},
    record::{Clock, Device, Recorder},
    replay::{Replay, capture::Capture},
};
use monitor_common::policy::Mode;

fuzz_target!(|input: &[u8]| {
    let Ok(mut capture) = Capture::new(Cursor::new(input.to_vec())) else {
        return;
    };
    let policy = || PolicyBuilder::default().build();
    let account = Arc::<Account>::default();
    let recorder = Recorder::new(Device { id: String::new(), name: String::new() }, Mode::Audit);
    let correlator = Correlator::new(0, Families::default());
    let mut pipeline = Pipeline::of_capture(account.clone(), correlator, policy(), recorder);
    let mut replay = Replay::new(&policy(), Mode::Audit);
    let (clock, mut output) = (Clock::new(0, 0), Output::default());
    // What is wrong with the file is no fault.
    let _ = capture.each(|packet| {
        pipeline.expire(packet.time_ns, clock, &mut output);
        replay.packet(packet, |event| pipeline.event(event, clock, &mut output));
        ControlFlow::Continue(())
    });
    replay.finish(|event| pipeline.event(event, clock, &mut output));
    pipeline.finish(replay.now_ns(), clock, &mut output);
    assert_eq!(account.totals(0, 0).rejected, 0);
    for record in &output.records {
        // Reads every field, and a name has a place where it was found.
        assert!(!format!("{record:?}").is_empty());
        assert!(record.remote().url.is_empty() || record.target().is_some());
    }
});
