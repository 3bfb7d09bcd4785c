import type { getMetadataStorage, ValidationArguments } from 'class-validator';
import { validation } from './checks.js';

type DtoClass = new () => object;
type Rule = (dto: Record<string, unknown>) => boolean;
type Metadata = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

/**
 * Says of most bodies that are right that they are, by the same rules and constraints as class-validator, which sorts its
 * metadata anew for each body and makes an error for each property before it knows of one. `false` says nothing: why a
 * body is refused, and what these few lines don't know of, is class-validator's to say.
 */
export function quickCheckOf(dtoClass: DtoClass): (dto: object) => boolean {
  const metadata = validation().getMetadataStorage().getTargetValidationMetadatas(dtoClass, '', false, false);
  const checks = [...Map.groupBy(metadata, ({ propertyName }) => propertyName).values()].map(checkOfProperty);
  if (checks.length === 0 || checks.includes(undefined)) return () => false;
  return (dto) => checks.every((check) => check!(dto as Record<string, unknown>));
}

/** @returns undefined when there is a rule among them that is not looked into here */
function checkOfProperty(rules: readonly Metadata[]): Rule | undefined {
  const { ValidationTypes } = validation();
  const conditions = rules.filter(({ type }) => type === ValidationTypes.CONDITIONAL_VALIDATION).map(conditionOf);
  const others = rules.filter(
    ({ type }) => type !== ValidationTypes.CONDITIONAL_VALIDATION && type !== ValidationTypes.WHITELIST,
  );
  if (others.some((rule) => !isPlain(rule))) return undefined;
  const constraints = others.flatMap(constraintsOf);
  return (dto) => !conditions.every((holds) => holds(dto)) || constraints.every((isKept) => isKept(dto));
}

function isPlain({ type, each, validateIf }: Metadata): boolean {
  return type === validation().ValidationTypes.CUSTOM_VALIDATION && !each && !validateIf;
}

function conditionOf({ propertyName, constraints: [condition] }: Metadata): Rule {
  const isMet = condition as (dto: object, value: unknown) => boolean;
  return (dto) => isMet(dto, dto[propertyName]);
}

function constraintsOf({ propertyName: property, constraintCls, constraints, target }: Metadata): Rule[] {
  const targetName = typeof target === 'string' ? target : target.name;
  return validation()
    .getMetadataStorage()
    .getTargetValidatorConstraints(constraintCls)
    .map(({ instance }) => (dto: Record<string, unknown>) => {
      const value = dto[property];
      const about: ValidationArguments = { targetName, property, object: dto, value, constraints };
      return instance.validate(value, about) === true; // a promise is for class-validator to wait for
    });
}
