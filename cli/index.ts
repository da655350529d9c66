/** What the command shows, for programs that show the same. */
export { LiveBlock } from './live-block.ts';
export { declaredText, secondText } from './load-text.ts';
export type { DeclaredCapacity } from './load-target.ts';
