/** The descriptor language: schemas, parser, semantic rules, packages. */
export type * from './types.ts';
export { parseDescriptor, type ParsedDescriptor } from './parse-descriptor.ts';
export { parseBytes, parseCpuMillis, parseSeconds } from './document/quantities.ts';
