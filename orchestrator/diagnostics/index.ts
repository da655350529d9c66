/** Diagnostics (Mco-d): output of functions and commands beside them, where an operator has switched that on, and the audit log of every use. */
export { createDiagnostics, type Diagnostics } from './create-diagnostics.ts';
export type { AgentStreams } from './agent-streams.ts';
