/** The descriptor language: schemas, parser, semantic rules, packages. */
export type * from './types.ts';
export type * from './scaling-types.ts';
export { buildScalingPolicy } from './build-scaling-policy.ts';
export { checkScalingPolicy, readScalingPolicy, type PolicyScope } from './check-scaling-policy.ts';
export { indicatorsOfAspect, ownAspect } from './check-service-aspects.ts';
export { parseAlarmCondition, type AlarmCondition } from './alarm-condition.ts';
export { faultOfTimeZone, lastTime, nextTime } from './cron-times.ts';
export { parseDescriptor, type ParsedDescriptor } from './parse-descriptor.ts';
export { hasErrors, toFaults, type Finding } from './document/finding.ts';
export { readDocument, type ReadDocument } from './document/read-document.ts';
export { unknownName } from './document/wording.ts';
export { toFindings } from './document/schema-findings.ts';
export { checkConfig, type CheckedConfig, type Parameters } from './check-config.ts';
export {
  KEEP_TEMPLATE,
  resolveTemplate,
  soleReference,
  templateReferences,
  type TemplateLookup,
  type TemplateReference,
} from './templates/resolve-template.ts';
export {
  parseExpression,
  type ComparisonOperator,
  type LabelExpression,
  type ParsedExpression,
} from './labels/parse-expression.ts';
export { matchesLabels } from './labels/matches-labels.ts';
export * from './archive/index.ts';
export { checkService, type CheckedService, type FunctionLookup } from './check-service.ts';
export { SERVICE_RULES } from './service-rules.ts';
export { RULES } from './rules/index.ts';
export type { Rule } from './rules/rule.ts';
export { SCHEMAS } from './schemas/index.ts';
