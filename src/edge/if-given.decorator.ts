import { ValidateBy, ValidateIf } from 'class-validator';

/** The property may be left out. Unlike with `@IsOptional`, `null` is not the same as left out. */
export const IfGiven = () => ValidateIf((_dto, value) => value !== undefined);

/** The property must not be left out. Unlike with `@IsDefined`, it may be `null`. */
export const IsGiven = () =>
  ValidateBy({
    name: 'isGiven',
    validator: { validate: (value) => value !== undefined, defaultMessage: () => '$property must be given' },
  });
