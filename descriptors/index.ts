/** The descriptor language: schemas, parser, semantic rules, packages. */
export type * from './types.ts';
