/** The semantic rules of the language: what a schema cannot say. */
import {
  duplicateName,
  portUsedTwice,
  probeOnMissingPort,
  unknownConfig,
  unknownConstituent,
  unknownIndicator,
  unknownPort,
  unknownUnit,
} from './names.ts';
import { notYetActedOn } from './not-yet-acted-on.ts';
import { deltaMissesMaximum, levelOutsideAspect, minAboveMax, quantityOutOfRange } from './numbers.ts';
import {
  defaultNotValid,
  requiresWithoutBindings,
  secretWithDefault,
  tooManyParameters,
} from './parameters.ts';
import { invalidExpression, unknownJurisdiction, unknownNear } from './placement.ts';
import type { Rule } from './rule.ts';
import { invalidSchedule, limitsCross, paceOutOfRange, timeOutsideAspect } from './scaling.ts';
import { scheduleIncomplete, scheduleOverlaps, scheduleServes, unknownPause } from './schedule.ts';
import { aspectOrderIncomplete, levelsDoNotRise } from './service-aspects.ts';
import { bindingCycle, invalidVersionRange } from './services.ts';
import { singleWriterNeedsFence, stopAfterIncomplete } from './single-writer.ts';
import { unresolvableTemplate } from './templates.ts';
import { upgradeCannotBegin, upgradeTimeOutOfRange } from './upgrade.ts';

/** In the order in which docs/descriptors.md lists them. */
export const RULES: readonly Rule[] = [
  duplicateName,
  unknownUnit,
  unknownPort,
  probeOnMissingPort,
  portUsedTwice,
  unknownIndicator,
  unknownConfig,
  unknownConstituent,
  unresolvableTemplate,
  minAboveMax,
  levelOutsideAspect,
  deltaMissesMaximum,
  limitsCross,
  invalidSchedule,
  timeOutsideAspect,
  scheduleIncomplete,
  scheduleOverlaps,
  scheduleServes,
  unknownPause,
  paceOutOfRange,
  levelsDoNotRise,
  aspectOrderIncomplete,
  quantityOutOfRange,
  secretWithDefault,
  tooManyParameters,
  defaultNotValid,
  requiresWithoutBindings,
  unknownJurisdiction,
  unknownNear,
  invalidExpression,
  singleWriterNeedsFence,
  stopAfterIncomplete,
  upgradeCannotBegin,
  upgradeTimeOutOfRange,
  invalidVersionRange,
  bindingCycle,
  notYetActedOn,
];
