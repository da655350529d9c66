/** Mco-d: carries out what operators ask to see of the functions on this host, and delivers it. */
export { createDiagnosticsAgent, type DiagnosticsAgent } from './diagnostics-agent.ts';
