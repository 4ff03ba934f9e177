import { judgeRealImage } from './cases.ts';

judgeRealImage('node');
