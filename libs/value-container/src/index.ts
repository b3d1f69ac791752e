export {
  hasManualEviction,
  isValueContainer,
  missingMethods,
  type ContainerContext,
  type ContainerFactory,
  type Evicted,
  type ManualEviction,
  type ValueContainer,
} from './value-container.js';
export {
  checkContainer,
  type CheckOptions,
  type ConformanceReport,
  type Finding,
} from './conformance/check-container.js';
