export { data as GET, scenarios as getStaticPaths } from '../../components/door-file.ts';
