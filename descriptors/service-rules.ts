import type { Finding, Wording } from './document/finding.ts';

/** Rules that need to know which functions are onboarded. */
export const SERVICE_RULES = {
  'unknown-function': 'Every constituent is an onboarded function.',
  'unsatisfied-version': 'An onboarded version of the function is in the range of the constituent.',
  'unknown-level': 'Flavour and level of a constituent are those of its function.',
  'unknown-requirement': '`bind` names requirements of the function.',
  'unmet-requirement':
    'Every requirement that is not optional is provided by the constituent that it is bound to, or by exactly one.',
  'protocol-mismatch': 'A requirement is bound to a constituent that speaks its protocol.',
  'aspect-out-of-reach':
    'An aspect of a service scales constituents that do not cover hosts, whose function has an aspect of the same name, or only one, and within its bounds.',
  'unknown-aspect-indicator':
    'The policy of an aspect of a service names indicators of units that the aspect scales.',
  'config-not-valid': 'The values that a service gives to a constituent are ones that the function accepts.',
} as const;

export type ServiceRule = keyof typeof SERVICE_RULES | 'binding-cycle';

export function serviceFinding(
  rule: ServiceRule,
  index: number,
  property: string,
  { message, remedy }: Wording,
): Finding {
  return { rule, pointer: `/functions/${index}${property}`, message, remedy };
}
