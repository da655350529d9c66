/** What a driver's test kit gives the conformance suite, and what its own tests may borrow: sample workloads, and ways to wait. */
export type * from './conformance/site.ts';
export * from './conformance/waiting.ts';
export * from './conformance/workloads.ts';
