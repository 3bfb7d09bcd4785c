import { IsInt, IsNotEmpty, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { JSONSchema } from 'class-validator-jsonschema';

export const MAX_TEXT_CHARS = 500_000;

export class SummariseInput {
  @IsString()
  @IsNotEmpty()
  @MaxLength(MAX_TEXT_CHARS)
  @JSONSchema({ description: 'The text, plain or Markdown' })
  text!: string;

  @IsInt()
  @Min(1)
  @Max(20)
  @IsOptional()
  @JSONSchema({ description: 'How many sentences the summary is to have at most', default: 5 })
  sentences?: number;

  @Matches(/^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8}){0,3}$/)
  @IsOptional()
  @JSONSchema({ description: 'The language of the text (BCP 47, e.g. "en"); found out when it is missing' })
  language?: string;
}
