export { text as GET, versions as getStaticPaths } from '../../../components/door-file.ts';
