{#-
    The adapter adds constraints to Delta tables only, and takes a table without a format for one.
    Parquet knows none, so that each constraint of the contract is a question to the written table.
-#}
{% macro spark__persist_constraints(relation, model) -%}
    {%- if config.get('contract').enforced -%}
        {%- for column in model['columns'].values() -%}
            {%- for constraint in column.constraints -%}
                {%- do assert_constraint(relation, constraint, [column.name]) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- for constraint in model['constraints'] -%}
            {%- do assert_constraint(relation, constraint, constraint.columns) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{% macro assert_constraint(relation, constraint, columns) -%}
    {%- set names = columns | join(', ') -%}
    {%- set has_value = columns | join(' is not null and ') ~ ' is not null' -%}
    {%- if constraint.type == 'not_null' -%}
        {%- set found = 'select 1 from ' ~ relation ~ ' where not (' ~ has_value ~ ')' -%}
    {%- elif constraint.type == 'check' -%}
        {#- a contract casts to text, which Spark calls otherwise -#}
        {%- set holds = constraint.expression | replace(' as text)', ' as string)') -%}
        {%- set found = 'select 1 from ' ~ relation ~ ' where not (' ~ holds ~ ')' -%}
    {%- elif constraint.type in ('unique', 'primary_key') -%}
        {%- set found = 'select 1 from ' ~ relation ~ ' where ' ~ has_value
            ~ ' group by ' ~ names ~ ' having count(*) > 1' -%}
    {%- elif constraint.type == 'foreign_key' -%}
        {%- set found = 'select 1 from ' ~ relation ~ ' where ' ~ has_value ~ ' and ('
            ~ names ~ ') not in (select ' ~ constraint.to_columns | join(', ')
            ~ ' from ' ~ constraint.to ~ ')' -%}
    {%- endif -%}
    {%- if found and run_query(found ~ ' limit 1').rows -%}
        {{ exceptions.raise_compiler_error(
            "lotgate: " ~ relation.identifier ~ " breaks its contract: " ~ constraint.type
            ~ " (" ~ names ~ ")"
        ) }}
    {%- endif -%}
{%- endmacro %}
