/** What drivers that look after instances themselves share: probes and what they mean, when to start again, what only the host knows, and ending commands beside programs. */
export { COMMAND_MARK, endMarked } from './end-marked.ts';
export { HealthTracker, type Health } from './health.ts';
export { resolveOnHost, type HostFacts } from './host-templates.ts';
export { probeOnce, type ProbeTarget } from './probes.ts';
export { decideRestart, describeExit, type RestartDecision } from './restart-policy.ts';
