/** The semantic rules of the language. */
import type { Rule } from './rule.ts';

export const RULES: readonly Rule[] = [];
