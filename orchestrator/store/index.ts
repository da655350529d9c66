/** The state store contract and its implementations. */
export type * from './contract.ts';
