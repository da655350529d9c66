/** Entities of the orchestrator and their transition tables: no I/O. */
export type * from './documents.ts';
export * from './states.ts';
