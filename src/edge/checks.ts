import { dtoLibraries } from '../agents/dto-libraries.js';
import { soon } from '../shared/lazily.js';
import { NotedDecorators } from '../shared/noted-decorators.js';

type DtoLibraries = ReturnType<typeof dtoLibraries>;

const checks = new NotedDecorators<DtoLibraries>();

/** Decorators of class-validator and class-transformer, for the edge's DTOs: see `validation`. */
export const Allow = checks.of('Allow');
export const IsBoolean = checks.of('IsBoolean');
export const IsIn = checks.of('IsIn');
export const IsInt = checks.of('IsInt');
export const IsISO8601 = checks.of('IsISO8601');
export const IsString = checks.of('IsString');
export const Length = checks.of('Length');
export const Matches = checks.of('Matches');
export const Max = checks.of('Max');
export const Min = checks.of('Min');
export const Transform = checks.of('Transform');

/** The property may be left out. Unlike with `@IsOptional`, `null` is not the same as left out. */
export const IfGiven = () => checks.of('ValidateIf')((_dto, value) => value !== undefined);

/** The property must not be left out. Unlike with `@IsDefined`, it may be `null`. */
export const IsGiven = () =>
  checks.of('ValidateBy')({
    name: 'isGiven',
    validator: { validate: (value) => value !== undefined, defaultMessage: () => '$property must be given' },
  });

/** What checks DTOs, and knows their rules; loaded with the first one that is checked, or soon after the server listens. */
export function validation(): DtoLibraries {
  const libraries = dtoLibraries();
  checks.apply(libraries);
  return libraries;
}

soon(async () => validation());
