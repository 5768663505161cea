//! The load generator against servers that know better: what it measures is held to what they logged or to what queueing
//! theory says, and every kind of workload, protocol and mistake is tried. The tests run one at a time, since each other's
//! load would be in their figures.

mod children;
mod experiments;
mod http2;
mod lab;
mod limits;
mod mistakes;
mod scripts;
mod secure;
mod vouching;
mod websocket;
mod workloads;
