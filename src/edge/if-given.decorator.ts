import { ValidateIf } from 'class-validator';

/** The property may be left out. Unlike with `@IsOptional`, `null` is not the same as left out. */
export const IfGiven = () => ValidateIf((_dto, value) => value !== undefined);
