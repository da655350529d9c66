import { unreachable } from '../../kernel/index.ts';
import type { ComparisonOperator, LabelExpression } from './parse-expression.ts';

/**
 * Whether the labels satisfy the expression. A label that is not there satisfies no comparison but `!=`.
 * `<`, `<=`, `>` and `>=` compare plain numbers as numbers (`2 < 10`, `0.5 < 1`), everything else that is made of numbers and dots
 * as versions (`1.9.0 < 1.10.0`); where either side is neither, they do not hold.
 */
export function matchesLabels(
  expression: LabelExpression,
  labels: Readonly<Record<string, string>>,
): boolean {
  switch (expression.type) {
    case 'and':
      return expression.operands.every((operand) => matchesLabels(operand, labels));
    case 'or':
      return expression.operands.some((operand) => matchesLabels(operand, labels));
    case 'not':
      return !matchesLabels(expression.operand, labels);
    case 'exists':
      return valueOf(labels, expression.label) !== undefined;
    case 'in': {
      const value = valueOf(labels, expression.label);
      return value !== undefined && expression.values.includes(value);
    }
    case 'compare':
      return compares(valueOf(labels, expression.label), expression.operator, expression.value);
    default:
      return unreachable(expression);
  }
}

function valueOf(labels: Readonly<Record<string, string>>, label: string): string | undefined {
  return Object.hasOwn(labels, label) ? labels[label] : undefined;
}

function compares(found: string | undefined, operator: ComparisonOperator, wanted: string): boolean {
  if (operator === '!=') return found !== wanted;
  if (found === undefined) return false;
  if (operator === '=') return found === wanted;
  const order = orderOf(found, wanted);
  if (order === undefined) return false;
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    default:
      return unreachable(operator);
  }
}

const NUMBER = /^-?[0-9]{1,15}(\.[0-9]{1,15})?$/;
const VERSION = /^v?([0-9]{1,15}(?:\.[0-9]{1,15})*)$/;

function orderOf(a: string, b: string): number | undefined {
  if (NUMBER.test(a) && NUMBER.test(b)) return Number(a) - Number(b);
  const left = VERSION.exec(a)?.[1]?.split('.').map(Number);
  const right = VERSION.exec(b)?.[1]?.split('.').map(Number);
  if (left === undefined || right === undefined) return undefined;
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
