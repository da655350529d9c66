import type { Cursor } from '../document/cursor.ts';
import type { Wording } from '../document/finding.ts';
import type { Kind } from '../document/schema.ts';

/** What a rule says about one place. */
export interface RuleFinding extends Wording {
  readonly at: Cursor;
  /** The fault is the name of the property, not its value. */
  readonly isAtKey?: boolean;
}

/** A semantic rule: what a schema cannot say. It looks at documents with schema faults, too, and must bear anything. */
export interface Rule {
  readonly name: string;
  /** One sentence for the documentation. */
  readonly summary: string;
  readonly kinds: readonly Kind[];
  /** Absent: what it finds is an error. */
  readonly severity?: 'warning';
  readonly check: (doc: Cursor, kind: Kind) => Iterable<RuleFinding>;
}

export const FUNCTION: readonly Kind[] = ['IoTFunctionDescriptor'];
export const SERVICE: readonly Kind[] = ['IoTServiceDescriptor'];
export const BOTH: readonly Kind[] = ['IoTFunctionDescriptor', 'IoTServiceDescriptor'];
